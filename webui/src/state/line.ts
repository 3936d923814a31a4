/** Messages that wait until the answer before them has ended. */
import { turns } from '../api/client';
import type { MessageView } from './message.svelte';
import type { Thread } from './thread.svelte';

/** Return the index of the first message whose answer waits behind one in progress; the number of messages if there is none. */
export function startOfLine(messages: MessageView[]): number {
  const first = messages.findIndex((message) => message.running);
  const waits = messages.findIndex((message, i) => message.status === 'queued' && first >= 0 && i > first);
  return waits < 0 ? messages.length : waits - 1;
}

/** Let the first message that waits be answered now: the answer before it is stopped, and what was made of it stays. */
export async function steer(thread: Thread): Promise<void> {
  const turnId = thread.line[1]?.turnId;
  if (turnId) await turns.begin(turnId);
}

/** Take a message out of the line. Return whether it was still in it. */
export async function withdraw(thread: Thread, message: MessageView): Promise<boolean> {
  const at = thread.line.indexOf(message);
  const answer = at < 0 ? undefined : thread.line[at + 1];
  if (!answer?.turnId) return false;
  const { status, seq } = await turns.cancel(answer.turnId);
  // A turn that never began has two events: that it is there, and that it is not.
  const taken = status === 'cancelled' && seq === 2;
  if (taken) thread.messages = thread.messages.filter((one) => one !== message && one !== answer);
  void thread.refresh();
  return taken;
}
