/** Reading event streams over a network that comes and goes. */
import { reach } from './reach';
import { SseParser, type ServerSentEvent } from './sse';

/** The server writes a comment every 15 s; a stream that is silent for longer than this is dead. */
const SILENCE_MS = 45_000;
/** After a sleep the silence is judged more strictly, for the connection is likely gone. */
const SILENCE_ON_WAKE_MS = 20_000;
/** A stream whose answer has not begun by then was sent into a connection that is dead already. */
const OPENING_MS = 20_000;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;

/** A server on this machine is there also while the machine has no network. */
const IS_LOCAL = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);

/** Send the request for a stream; it is given up if no answer begins, and later when the signal is aborted. */
export async function openStream(
  request: (signal: AbortSignal) => Promise<Response>,
  signal: AbortSignal,
): Promise<Response> {
  const attempt = new AbortController();
  const timer = setTimeout(() => {
    reach.missed();
    attempt.abort();
  }, OPENING_MS);
  try {
    return await request(AbortSignal.any([attempt.signal, signal]));
  } finally {
    clearTimeout(timer);
  }
}

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
      reach.heard();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) take(event);
    }
  } finally {
    watch.end();
    signal.removeEventListener('abort', stop);
  }
  return parser.retry;
}

/**
 * Calls `dead` when nothing was heard for too long, when the network has changed, and when the page is put aside. Two clocks are looked
 * at, for one may stand still while the machine sleeps, and the other can be set.
 */
class SilenceWatch {
  private lastTick = performance.now();
  private lastTime = Date.now();
  private readonly ending = new AbortController();

  constructor(private readonly dead: () => void) {
    const { signal } = this.ending;
    const wake = () => this.check(SILENCE_ON_WAKE_MS);
    const timer = setInterval(() => this.check(SILENCE_MS), 5_000);
    signal.addEventListener('abort', () => clearInterval(timer));
    document.addEventListener('visibilitychange', wake, { signal });
    document.addEventListener('resume', wake, { signal });
    addEventListener('online', dead, { signal });
    addEventListener('pagehide', dead, { signal });
  }

  heard(): void {
    this.lastTick = performance.now();
    this.lastTime = Date.now();
  }

  end(): void {
    this.ending.abort();
  }

  private check(limit: number): void {
    const silence = Math.max(performance.now() - this.lastTick, Math.abs(Date.now() - this.lastTime));
    if (silence > limit) this.dead();
  }
}

/** How long to wait before the next attempt: doubled each time, at random below that, and no longer when the server is heard of again. */
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
    await pause(navigator.onLine || IS_LOCAL ? delay : LONGEST_DELAY_MS * 3, signal);
  }
}

/** Resolve after the time, or sooner when the server or the network comes back, the page is looked at again, or the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const waiting = new AbortController();
    const end = () => {
      clearTimeout(timer);
      waiting.abort();
      resolve();
    };
    const seen = () => {
      if (document.visibilityState === 'visible') end();
    };
    const timer = setTimeout(end, ms);
    const until = { signal: waiting.signal };
    reach.addEventListener('back', end, until);
    addEventListener('online', end, until);
    addEventListener('pageshow', end, until);
    document.addEventListener('visibilitychange', seen, until);
    signal.addEventListener('abort', end, until);
  });
}
