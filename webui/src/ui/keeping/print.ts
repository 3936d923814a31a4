/** A conversation on paper: all of the branch, not only what has been scrolled to. */
import { tick } from 'svelte';
import { MOST } from '../../state/parts';
import type { Thread } from '../../state/thread.svelte';

/** Read what is not there yet. Returns whether all of it came. Raises Problem. */
export async function readWhole(thread: Thread): Promise<boolean> {
  await thread.toEnd();
  let before = -1;
  while (thread.hasMore && thread.messages.length !== before) {
    before = thread.messages.length;
    await thread.older(MOST);
  }
  return !thread.hasMore;
}

/** Print what has been read, all of which stays there for it. */
export async function printRead(thread: Thread): Promise<void> {
  thread.whole = true;
  await tick();
  requestAnimationFrame(() => window.print());
}
