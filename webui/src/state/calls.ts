/** What a person says about the tool calls of an answer in progress. What was settled in the meantime is no failure. */
import { turns } from '../api/client';
import { Problem } from '../api/http';
import type { Approval, Decision } from '../api/types';
import type { MessageView } from './message.svelte';
import type { Thread } from './thread.svelte';

/** Decide about what waits for a person. */
export async function decide(
  thread: Thread,
  message: MessageView,
  approval: Approval,
  decision: Decision,
): Promise<void> {
  if (!message.turnId) return;
  try {
    await turns.decide(message.turnId, approval.index, decision);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 409) throw error;
    await thread.refresh();
  }
}

/** Stop one tool; the turn goes on. */
export async function cancelCall(message: MessageView, index: number): Promise<void> {
  if (!message.turnId) return;
  try {
    await turns.cancelCall(message.turnId, index);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 409) throw error;
  }
}
