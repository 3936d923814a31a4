import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openStream, readEvents } from './connection';

/** A stream that says one thing and then nothing, like one whose other end has gone without a word. */
function halfOpen(): Response {
  const first = new TextEncoder().encode('event: a\ndata: 1\n\n');
  return new Response(new ReadableStream({ start: (controller) => controller.enqueue(first) }));
}

const forever = new AbortController().signal;
let ended: boolean;

async function reading(): Promise<void> {
  ended = false;
  void readEvents(halfOpen(), forever, () => undefined).then(() => (ended = true));
  await vi.advanceTimersByTimeAsync(10);
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a stream is given up after three heartbeats did not come', async () => {
  await reading();
  await vi.advanceTimersByTimeAsync(40_000);
  expect(ended).toBe(false);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(ended).toBe(true);
});

test.each([3_600_000, -3_600_000])('a clock that jumps tells of a sleep (by %i ms)', async (jump) => {
  await reading();
  vi.setSystemTime(Date.now() + jump);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ended).toBe(true);
});

test.each(['visibilitychange', 'resume'])('who comes back waits less for a sign of life (%s)', async (name) => {
  await reading();
  await vi.advanceTimersByTimeAsync(22_000);
  expect(ended).toBe(false);
  document.dispatchEvent(new Event(name));
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toBe(true);
});

test.each(['online', 'pagehide'])('a stream does not outlive its network or the page (%s)', async (name) => {
  await reading();
  dispatchEvent(new Event(name));
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toBe(true);
});

test('a request for a stream that is never answered is given up', async () => {
  const never = (signal: AbortSignal) =>
    new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))));
  const opening = expect(openStream(never, forever)).rejects.toThrow('given up');
  await vi.advanceTimersByTimeAsync(20_000);
  await opening;
});
