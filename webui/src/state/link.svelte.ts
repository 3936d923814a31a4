/** Whether the server can be reached. */
import { reach } from '../api/reach';

class Link {
  lost = $state(reach.lost);

  constructor() {
    reach.addEventListener('change', () => (this.lost = reach.lost));
  }
}

export const link = new Link();
