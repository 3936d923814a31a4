/** One thing at a time that is asked of the server, and what came of it. */
import { Problem } from '../../api/http';
import { problemText } from '../problem-text';

/** What came of something, for a person. */
export interface Verdict {
  ok: boolean;
  text: string;
  /** What can be done about it. */
  advice?: string;
}

export class Work {
  busy = $state(false);
  /** What is being done, where it takes so long that a person is told. */
  doing = $state('');
  verdict = $state.raw<Verdict | undefined>();

  /** Do it, and return whether it was done; why it was not is the verdict. */
  run(work: () => Promise<unknown>, doing = ''): Promise<boolean> {
    return this.ask(() => work().then(() => undefined), doing);
  }

  /** Do what gives a verdict. */
  async ask(work: () => Promise<Verdict | undefined>, doing = ''): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.doing = doing;
    this.verdict = undefined;
    try {
      this.verdict = await work();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.refuse(problemText(error));
      return false;
    } finally {
      this.busy = false;
      this.doing = '';
    }
  }

  /** Do what waits for its turn by itself, whatever else is done. */
  async beside(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.refuse(problemText(error));
      return false;
    }
  }

  /** Refuse what was entered. */
  refuse(text: string): void {
    this.verdict = { ok: false, text };
  }
}
