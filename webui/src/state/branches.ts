/** Where a person was in each branch, so that going back to a branch shows all of it again. */
import { store, stored } from './storage';

const PREFIX = 'leaf:';

/** Remember that the branch through `messageId` was shown up to `leafId`. */
export function rememberLeaf(messageId: string, leafId: string): void {
  if (messageId !== leafId) store(PREFIX + messageId, leafId);
}

export function recallLeaf(messageId: string): string {
  return stored(PREFIX + messageId) || messageId;
}
