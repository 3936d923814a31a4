/** Which conversations wait for a person: a tool call that asks first, or the question of a running tool. */
import { openApprovals } from '../api/client';
import { Problem } from '../api/http';
import type { OpenApproval } from '../api/types';

class Waiting {
  private open = $state.raw<OpenApproval[]>([]);
  private readonly ids = $derived(new Set(this.open.map((item) => item.conversation_id)));
  private reading = false;
  private again = false;

  has(conversationId: string): boolean {
    return this.ids.has(conversationId);
  }

  /** Read anew; what changes meanwhile is read after that, however often it does. */
  async load(): Promise<void> {
    this.again = true;
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.again) {
        this.again = false;
        this.open = (await openApprovals()).items;
      }
    } catch (error) {
      // The next notice, or the end of the cut, brings the next attempt.
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.reading = false;
    }
  }
}

export const waiting = new Waiting();
