/** Runs work once per frame; on a timer while the page is hidden, since there are no frames then. */

const HIDDEN_INTERVAL_MS = 250;
/** A flush that costs more than this is given at most every second frame, and the dearer the seldomer. */
const DEAR_MS = 8;

type Work = () => void;

interface Entry {
  work: Work;
  notBefore: number;
}

class FrameScheduler {
  private readonly waiting = new Map<Work, Entry>();
  private readonly notBefore = new WeakMap<Work, number>();
  private cancel: (() => void) | undefined;

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (!this.cancel) return;
      this.cancel();
      this.arm();
    });
  }

  /** Run `work` with the next frame; asking again before then changes nothing. */
  request(work: Work): void {
    if (this.waiting.has(work)) return;
    this.waiting.set(work, { work, notBefore: this.notBefore.get(work) ?? 0 });
    if (!this.cancel) this.arm();
  }

  drop(work: Work): void {
    this.waiting.delete(work);
  }

  private arm(): void {
    if (document.visibilityState === 'hidden') {
      const timer = setTimeout(() => this.run(), HIDDEN_INTERVAL_MS);
      this.cancel = () => clearTimeout(timer);
    } else {
      const frame = requestAnimationFrame(() => this.run());
      this.cancel = () => cancelAnimationFrame(frame);
    }
  }

  private run(): void {
    this.cancel = undefined;
    for (const entry of [...this.waiting.values()]) {
      const start = performance.now();
      if (start < entry.notBefore) continue;
      this.waiting.delete(entry.work);
      entry.work();
      const end = performance.now();
      const cost = end - start;
      this.notBefore.set(entry.work, cost > DEAR_MS ? end + cost * 2 : 0);
    }
    if (this.waiting.size && !this.cancel) this.arm();
  }
}

export const frames = new FrameScheduler();
