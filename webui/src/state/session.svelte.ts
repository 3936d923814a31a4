/** Which conversation is open, and sending into it or into one that is made for it. */
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

  /** Send a message. Raises Problem if the server did not accept it. */
  async send(text: string): Promise<void> {
    let thread = this.thread;
    if (thread.id === null) {
      const made = await thread.create();
      thread = new Thread(made.id);
      thread.conversation = made;
      this.thread = thread;
      router.go(made.id);
    }
    await thread.post(text);
    if (thread.id) void conversations.refresh(thread.id);
  }
}

export const session = new Session();
