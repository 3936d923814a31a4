/** Whether the server can be reached. */
import { untrack } from 'svelte';
import { reach } from '../api/reach';

class Link {
  lost = $state(reach.lost);

  constructor() {
    reach.addEventListener('change', () => (this.lost = reach.lost));
  }
}

export const link = new Link();

/** Do something each time that the server is back. To be called where a part is made. */
export function whenBack(work: () => void): void {
  let lost = untrack(() => link.lost);
  $effect(() => {
    const back = lost && !link.lost;
    lost = link.lost;
    if (back) untrack(work);
  });
}
