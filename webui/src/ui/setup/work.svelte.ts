/** One thing at a time that is asked of the server, and what came of it. */
import { Problem } from '../../api/http';
import { toldOf } from '../problem-text';

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
  private found = $state.raw<Verdict | Problem | undefined>();
  /** What came of it, as long as it is true: a server that is back is not told to be away. */
  get verdict(): Verdict | undefined {
    const { found } = this;
    if (!(found instanceof Problem)) return found;
    const text = toldOf(found);
    return text ? { ok: false, text } : undefined;
  }

  /** Do it, and return whether it was done; why it was not is the verdict. */
  run(work: () => Promise<unknown>, doing = ''): Promise<boolean> {
    return this.ask(() => work().then(() => undefined), doing);
  }

  /** Do what gives a verdict. */
  async ask(work: () => Promise<Verdict | undefined>, doing = ''): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.doing = doing;
    this.found = undefined;
    try {
      this.found = await work();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.found = error;
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
      this.found = error;
      return false;
    }
  }

  /** Say what came of it elsewhere, or nothing any more. */
  tell(verdict: Verdict | Problem | undefined): void {
    this.found = verdict;
  }

  /** Refuse what was entered. */
  refuse(text: string): void {
    this.found = { ok: false, text };
  }
}
