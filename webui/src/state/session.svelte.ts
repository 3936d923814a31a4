/** Which conversation is open, and sending into it or into one that is made for it. */
import { Problem } from '../api/http';
import type { FileRef } from '../api/types';
import { recall } from './copies';
import { conversations } from './conversations.svelte';
import { MessageView } from './message.svelte';
import { router, type MessageAddress } from './router.svelte';
import { Thread } from './thread.svelte';

/** So many conversations stay in memory after they were left. */
const KEPT = 10;

class Session {
  thread = $state<Thread>(new Thread(null));
  /** The conversation that was made for the message that is being sent. */
  made: string | null = null;

  /** Those that were left last, the latest at the end: they are shown at once when they are opened again. */
  private readonly left = new Map<string, Thread>();

  /** Show a conversation, perhaps at one of its messages, or with null the place for a new one. */
  open(id: string | null, target: MessageAddress | null = null): void {
    if (this.thread.id !== id) this.change(id, target);
    else if (target) void this.thread.goTo(target);
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
    await thread.load(target);
    if (thread.notFound && thread.id) conversations.drop(thread.id);
    if (!thread.loadError?.unreachable) return;
    const kept = await recall((offline) => offline.keptConversation(thread.id ?? ''));
    if (!kept || thread.conversation || this.thread !== thread) return;
    thread.conversation = kept.conversation;
    thread.messages = kept.page.items.map((message) => new MessageView(message));
    thread.loadError = undefined;
  }

  private keep(thread: Thread): void {
    if (thread.id === null) return;
    this.left.delete(thread.id);
    if (!thread.conversation || thread.notFound || thread.hasNewer) return;
    this.left.set(thread.id, thread);
    const [oldest] = this.left.keys();
    if (oldest !== undefined && this.left.size > KEPT) this.left.delete(oldest);
  }

  /** Send a message with its files. Raises Problem if the server did not accept it. */
  async send(text: string, attachments: FileRef[]): Promise<void> {
    const opened = this.thread;
    this.made = null;
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
    this.made = made.id;
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
