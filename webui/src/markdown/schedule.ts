/** Runs work with the frames of the screen; on a timer while the page is hidden, since there are none then. */

const HIDDEN_INTERVAL_MS = 250;
/** Work is done in every second frame of a screen with 60 a second: nobody sees text come faster, and each frame costs layout and paint. */
const INTERVAL_MS = 25;
/** Work rests so many times as long as the frame took in which it was done. */
const REST = 2.5;

type Work = () => void;

class FrameScheduler {
  private readonly waiting = new Set<Work>();
  private readonly notBefore = new WeakMap<Work, number>();
  private cancel: (() => void) | undefined;

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (!this.cancel) return;
      this.cancel();
      this.arm();
    });
  }

  /** Run `work` with the next frame that is due for it; asking again before then changes nothing. */
  request(work: Work): void {
    this.waiting.add(work);
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
    const start = performance.now();
    const done: Work[] = [];
    for (const work of [...this.waiting]) {
      if (start < (this.notBefore.get(work) ?? 0)) continue;
      this.waiting.delete(work);
      work();
      done.push(work);
    }
    if (done.length) this.rest(done, start);
    if (this.waiting.size && !this.cancel) this.arm();
  }

  /** Let work rest, the longer the dearer the frame was: script, and the layout and paint that come before the next task. */
  private rest(done: readonly Work[], start: number): void {
    for (const work of done) this.notBefore.set(work, start + INTERVAL_MS);
    afterFrame(() => {
      const until = start + Math.max((performance.now() - start) * REST, INTERVAL_MS);
      for (const work of done) this.notBefore.set(work, until);
    });
  }
}

/** Run `work` in the next task. A timer would come later than that, by milliseconds. */
function afterFrame(work: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    work();
  };
  port2.postMessage(undefined);
}

export const frames = new FrameScheduler();
