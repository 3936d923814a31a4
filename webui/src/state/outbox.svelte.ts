/** Messages that are not yet accepted. They are sent one after the other, in the order in which they were written. */
import type { FileRef } from '../api/types';
import { attachmentsOf, type Attachment } from './attachments.svelte';
import { dropDraft, joined, NEW_CHAT, readDraft, without, writeDraft } from './drafts';
import { session } from './session.svelte';
import type { Thread } from './thread.svelte';

export interface Unsent {
  /** The draft that it was. */
  readonly key: string;
  readonly thread: Thread;
  readonly text: string;
  readonly files: FileRef[];
  readonly taken: Attachment[];
}

class Outbox {
  private items = $state.raw<Unsent[]>([]);
  private last: Promise<unknown> = Promise.resolve();

  /** Those of one conversation. */
  of(key: string): Unsent[] {
    return this.items.filter((item) => this.placeOf(item) === key);
  }

  /** The draft that it would be now. */
  placeOf(item: Unsent): string {
    return session.placeOf(item.thread).id ?? NEW_CHAT;
  }

  /** Keep them as a draft, with what was written since. */
  keep(key: string, text: string): void {
    writeDraft(key, joined([...this.of(key).map((item) => item.text), text]));
  }

  /** What was written since. */
  rest(key: string): string {
    return this.of(key).reduce((draft, item) => without(draft, item.text), readDraft(key));
  }

  /** Send it when those before it are sent. Raises Problem if the server did not accept it. */
  send(item: Unsent, begun: () => void): Promise<void> {
    this.items = [...this.items, item];
    const sending = this.last.then(() => this.post(item, begun));
    this.last = sending.catch(() => undefined);
    return sending;
  }

  private async post(item: Unsent, begun: () => void): Promise<void> {
    if (!this.items.includes(item)) return;
    const accepted = session.send(item.text, item.files, item.thread);
    begun();
    await accepted;
    attachmentsOf(item.key).sent(item.taken);
    dropDraft(this.placeOf(item), item.text);
    this.items = this.items.filter((other) => other !== item);
  }

  /** Take one out that was not accepted, and with it those that were to follow it. */
  takeBack(item: Unsent): Unsent[] {
    const back = this.of(this.placeOf(item));
    this.items = this.items.filter((other) => !back.includes(other));
    return back;
  }
}

export const outbox = new Outbox();
