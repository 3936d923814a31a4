/** Which conversation is open, and sending into it or into one that is made for it. */
import { Problem } from '../api/http';
import type { FileRef } from '../api/types';
import { recall } from './copies';
import { conversations, firstWords } from './conversations.svelte';
import { moveAttachments } from './attachments.svelte';
import { moveDraft, NEW_CHAT, type Attempt } from './drafts';
import { held } from './held.svelte';
import { MessageView } from './message.svelte';
import { insist, requestIds } from './request-ids';
import { router, type MessageAddress } from './router.svelte';
import { Thread } from './thread.svelte';

/** So many conversations stay in memory after they were left. */
const KEPT = 10;

class Session {
  thread = $state<Thread>(new Thread(null));
  /** What became of the places for new conversations. */
  private readonly made = new WeakMap<Thread, Thread>();

  /** Those that were left last, the latest at the end: they are shown at once when they are opened again. */
  private readonly left = new Map<string, Thread>();

  /** Show a conversation, perhaps at one of its messages, or with null the place for a new one. */
  open(id: string | null, target: MessageAddress | null = null): void {
    if (this.thread.id !== id) this.change(id, target);
    else if (target) void this.thread.load(target);
  }

  private change(id: string | null, target: MessageAddress | null): void {
    this.thread.close();
    this.keep(this.thread);
    const before = id === null || target ? undefined : this.left.get(id);
    this.thread = new Thread(id, before);
    void (before ? this.thread.refresh() : this.load(this.thread, target));
  }

  /** Read a conversation; if the server cannot be reached, show what this browser has kept of it until the server has spoken. */
  private async load(thread: Thread, target: MessageAddress | null): Promise<void> {
    await thread.load(target ?? 'end');
    if (thread.notFound && thread.id) conversations.drop(thread.id);
    this.compare();
    if (!thread.loadError?.unreachable) return;
    const kept = await recall((offline) => offline.keptConversation(thread.id ?? ''));
    if (!kept || thread.conversation || this.thread !== thread) return;
    thread.conversation = kept.conversation;
    thread.messages = kept.page.items.map((message) => new MessageView(message));
    thread.loadError = undefined;
  }

  /** Read the conversation that is open anew if the list tells of a later activity: it happened before anybody listened. */
  compare(): void {
    const { thread } = this;
    const listed = thread.id === null ? undefined : conversations.byId(thread.id);
    if (listed && thread.conversation && listed.updated_at > thread.conversation.updated_at) void thread.refresh();
  }

  private keep(thread: Thread): void {
    if (thread.id === null) return;
    this.left.delete(thread.id);
    if (!thread.conversation || thread.notFound || thread.hasNewer) return;
    this.left.set(thread.id, thread);
    const [oldest] = this.left.keys();
    if (oldest !== undefined && this.left.size > KEPT) this.left.delete(oldest);
  }

  /** Where a message goes that was written in `thread`: the conversation may have been made, or opened anew, since. */
  placeOf(thread: Thread): Thread {
    const place = this.made.get(thread) ?? thread;
    return place.id !== null && place.id === this.thread.id ? this.thread : place;
  }

  /** Send a message with its files, which was written in `to`. Raises Problem if the server did not accept it. */
  async send(text: string, attachments: FileRef[], to: Thread): Promise<void> {
    const opened = this.placeOf(to);
    const thread = opened.id === null ? await this.begin(opened, text, attachments) : opened;
    try {
      await thread.toEnd();
      beginAttempt(thread, text, attachments);
      await insist(() => thread.post(text, attachments));
    } catch (error) {
      if (thread !== opened && error instanceof Problem && !error.unreachable) this.takeBack(thread, opened, text);
      throw error;
    }
    if (thread.id) void conversations.refresh(thread.id);
  }

  /** Make the conversation that was planned, and show it to who has not left meanwhile. */
  private async begin(planned: Thread, text: string, files: FileRef[]): Promise<Thread> {
    const title = firstWords(text.trim() || (files[0]?.name ?? ''));
    const made = await insist(() => planned.create(title));
    const thread = new Thread(made.id);
    thread.conversation = made;
    this.made.set(planned, thread);
    moveAll(NEW_CHAT, made.id, text);
    if (this.thread === planned) {
      this.thread = thread;
      router.go(made.id);
    } else thread.close();
    return thread;
  }

  /** The first message of a new conversation was refused: be where one was before. */
  private takeBack(thread: Thread, planned: Thread, text: string): void {
    this.made.delete(planned);
    if (thread.id) {
      conversations.discard(thread.id);
      moveAll(thread.id, NEW_CHAT, text);
      planned.keepPlan();
      requestIds.forget(thread.id);
    }
    if (this.thread !== thread) return;
    thread.close();
    this.thread = planned;
    router.go(null, true);
  }
}

/** Let what is written in one place be written in another: the draft that begins with `text`, its files, and what waits for these. */
function moveAll(from: string, to: string, text: string): void {
  moveDraft(from, to, text);
  moveAttachments(from, to);
  held.move(from, to);
}

/** Note what is sent, so that it is known again if it turns up without an answer to the request. */
function beginAttempt(thread: Thread, text: string, attachments: FileRef[]): void {
  const last = thread.messages.findLast((message) => message.id)?.id;
  const after = last ?? (thread.loading || thread.loadError ? '' : null);
  const message = { text, files: attachments.map((file) => file.id), after };
  requestIds.begin(thread.id ?? '', { ...message, alike: countAlike(message, thread.messages) });
}

function countAlike(
  { text, files, after }: Pick<Attempt, 'text' | 'files' | 'after'>,
  messages: readonly MessageView[],
): number {
  const place = messages.findIndex((message) => message.id === after);
  if (after !== null && place < 0) return 0;
  return messages
    .slice(place + 1)
    .filter((message) => message.role === 'user' && message.text === text)
    .filter((message) => message.attachments.map((file) => file.id).join() === files.join()).length;
}

/** Whether a message stands in the conversation, although the server's answer to its sending was lost. */
export function hasArrived(attempt: Attempt, thread: Thread): boolean {
  return countAlike(attempt, thread.messages) > attempt.alike;
}

export const session = new Session();
