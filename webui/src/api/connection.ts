/** Reading event streams over a network that comes and goes. */
import { SseParser, type ServerSentEvent } from './sse';

/** The server writes a comment every 15 s; a stream that is silent for longer than this is dead. */
const SILENCE_MS = 45_000;
/** After a sleep the silence is judged more strictly, for the connection is likely gone. */
const SILENCE_ON_WAKE_MS = 20_000;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;

/** Read the answer to its end, or until it has been silent for too long. Return the stream's wish for a delay, in ms. */
export async function readEvents(
  response: Response,
  signal: AbortSignal,
  take: (event: ServerSentEvent) => void,
): Promise<number | undefined> {
  const reader = response.body?.getReader();
  if (!reader) return undefined;
  const parser = new SseParser();
  const decoder = new TextDecoder();
  const watch = new SilenceWatch(() => void reader.cancel().catch(() => undefined));
  const stop = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) break;
      watch.heard();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) take(event);
    }
  } finally {
    watch.end();
    signal.removeEventListener('abort', stop);
  }
  return parser.retry;
}

/** Calls `dead` when nothing was heard for too long. */
class SilenceWatch {
  private last = performance.now();
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly wake = () => {
    if (document.visibilityState === 'visible') this.check(SILENCE_ON_WAKE_MS);
  };

  constructor(private readonly dead: () => void) {
    this.timer = setInterval(() => this.check(SILENCE_MS), 5_000);
    document.addEventListener('visibilitychange', this.wake);
  }

  heard(): void {
    this.last = performance.now();
  }

  end(): void {
    clearInterval(this.timer);
    document.removeEventListener('visibilitychange', this.wake);
  }

  private check(limit: number): void {
    if (performance.now() - this.last > limit) this.dead();
  }
}

/** How long to wait before the next attempt: doubled each time, at random below that, and at once when the network is back. */
export class BackOff {
  private attempts = 0;
  /** The server's wish, in milliseconds: a floor for the first delay. */
  floor = 0;

  reset(): void {
    this.attempts = 0;
  }

  get failing(): boolean {
    return this.attempts > 1;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const ceiling = Math.min(FIRST_DELAY_MS * 2 ** this.attempts, LONGEST_DELAY_MS);
    this.attempts += 1;
    const delay = Math.max(this.floor, ceiling / 2 + (Math.random() * ceiling) / 2);
    this.floor = 0;
    await pause(navigator.onLine ? delay : LONGEST_DELAY_MS * 3, signal);
  }
}

/** Resolve after the time, or sooner when the network comes back, the page is looked at again, or the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('online', end);
      document.removeEventListener('visibilitychange', seen);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const seen = () => {
      if (document.visibilityState === 'visible') end();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end);
    document.addEventListener('visibilitychange', seen);
    signal.addEventListener('abort', end);
  });
}
