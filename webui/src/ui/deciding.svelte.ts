/** A person's decision about what waits: one at a time, and why what was filled in is not taken. */
import { Problem } from '../api/http';
import type { Decision } from '../api/types';
import { t } from '../text';
import { showProblem } from './problem-text';

/** What the server calls that which was filled in. */
const FIELD = 'arguments';

export class Deciding {
  busy = $state(false);
  /** Why the arguments were not taken, '' if they were or have changed since. */
  refusal = $state('');

  constructor(private readonly decide: (decision: Decision) => Promise<void>) {}

  async settle(decision: Decision): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.refusal = '';
    try {
      await this.decide(decision);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.busy = false;
      if (error.field === FIELD) this.refusal = t.approval.unfit(error.message.replace(`${FIELD}: `, ''));
      else showProblem(error);
    }
  }
}
