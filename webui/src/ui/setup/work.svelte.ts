/** One thing at a time that is asked of the server, and what came of it. */
import { Problem } from '../../api/http';
import { problemText } from '../problem-text';

export class Work {
  busy = $state(false);
  /** What the last thing came to, for a person. */
  verdict = $state.raw<{ ok: boolean; text: string } | undefined>();

  /** Run it, and return whether it was done; what it returns, or why it was not done, is the verdict. */
  async run(work: () => Promise<{ ok: boolean; text: string } | undefined>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.verdict = undefined;
    try {
      this.verdict = await work();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.verdict = { ok: false, text: problemText(error) };
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** Refuse what was entered. */
  refuse(text: string): void {
    this.verdict = { ok: false, text };
  }
}
