/** Where a person was in each branch, so that going back to a branch shows all of it again. */
import { keep, recall } from './kept';

const PREFIX = 'leaf:';

/** Remember that the branch through `messageId` was shown up to `leafId`. */
export function rememberLeaf(messageId: string, leafId: string): void {
  if (messageId !== leafId) keep(PREFIX + messageId, leafId);
}

export function recallLeaf(messageId: string): string {
  return recall(PREFIX + messageId) || messageId;
}
