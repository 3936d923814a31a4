/** Which conversation is open, and sending into it or into one that is made for it. */
import { Problem } from '../api/http';
import type { FileRef } from '../api/types';
import { conversations } from './conversations.svelte';
import { router } from './router.svelte';
import { Thread } from './thread.svelte';

class Session {
  thread = $state<Thread>(new Thread(null));

  /** Show a conversation, or with null the place for a new one. */
  open(id: string | null): void {
    if (this.thread.id === id) return;
    this.thread.close();
    this.thread = new Thread(id);
    void this.thread.load();
  }

  /** Send a message with its files. Raises Problem if the server did not accept it. */
  async send(text: string, attachments: FileRef[]): Promise<void> {
    const opened = this.thread;
    const thread = opened.id === null ? await this.begin(opened) : opened;
    try {
      await thread.post(text, attachments);
    } catch (error) {
      if (thread !== opened && error instanceof Problem && !error.unreachable) this.takeBack(thread, opened);
      throw error;
    }
    if (thread.id) void conversations.refresh(thread.id);
  }

  /** Make the conversation that was planned, and show it. */
  private async begin(planned: Thread): Promise<Thread> {
    const made = await planned.create();
    const thread = new Thread(made.id);
    thread.conversation = made;
    this.thread = thread;
    router.go(made.id);
    return thread;
  }

  /** The first message of a new conversation was refused: be where one was before. */
  private takeBack(thread: Thread, planned: Thread): void {
    if (thread.id) conversations.discard(thread.id);
    if (this.thread !== thread) return;
    thread.close();
    this.thread = planned;
    router.go(null, true);
  }
}

export const session = new Session();
