/** Where a person was in each branch, so that going back to a branch shows all of it again. */

const PREFIX = 'luxx:leaf:';

/** Remember that the branch through `messageId` was shown up to `leafId`. */
export function rememberLeaf(messageId: string, leafId: string): void {
  if (messageId === leafId) return;
  try {
    localStorage.setItem(PREFIX + messageId, leafId);
  } catch {
    // Then the branch opens at the message that was chosen.
  }
}

export function recallLeaf(messageId: string): string {
  try {
    return localStorage.getItem(PREFIX + messageId) ?? messageId;
  } catch {
    return messageId;
  }
}
