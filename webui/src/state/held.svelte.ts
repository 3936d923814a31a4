/** Messages that are sent as soon as their files are there. Until then they stay drafts, and what changes them takes them back. */
import { attachmentsOf } from './attachments.svelte';
import type { Thread } from './thread.svelte';

export interface HeldMessage {
  /** The draft that it is. */
  readonly key: string;
  readonly thread: Thread;
  readonly text: string;
}

class Held {
  private items = $state.raw<HeldMessage[]>([]);
  /** Those that wait no longer: their files are there, or one of them will not come. */
  readonly due = $derived(this.items.filter(({ key }) => !attachmentsOf(key).onTheirWay));

  get any(): boolean {
    return this.items.length > 0;
  }

  has(key: string): boolean {
    return this.items.some((item) => item.key === key);
  }

  add(item: HeldMessage): void {
    this.items = [...this.items, item];
  }

  /** Its draft is that of another conversation now. */
  move(from: string, to: string): void {
    this.items = this.items.map((item) => (item.key === from ? { ...item, key: to } : item));
  }

  /** Let it be a draft and no more. */
  takeBack(key: string): void {
    this.items = this.items.filter((item) => item.key !== key);
  }
}

export const held = new Held();
