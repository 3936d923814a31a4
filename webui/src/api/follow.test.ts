import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { followTurn, type FollowEnd } from './follow';
import type { TurnEvent } from './types';

const realFetch = globalThis.fetch;

/** A server with one turn, whose streams break where the script says. */
class FakeServer {
  readonly asked: string[] = [];

  constructor(
    private readonly log: string[],
    /** For each connection: after how many characters it breaks, or the status that it answers with. */
    private readonly script: { cut?: number; status?: number }[],
  ) {}

  answer(after: number): Response {
    this.asked.push(String(after));
    const { cut = Infinity, status = 200 } = this.script[this.asked.length - 1] ?? {};
    if (status === 204) return new Response(null, { status });
    if (status !== 200) return new Response(JSON.stringify({ status, code: 'x', detail: '' }), { status });
    const text = this.log.slice(after).join('').slice(0, cut);
    return new Response(text, { headers: { 'Content-Type': 'text/event-stream' } });
  }
}

const LOG = [
  ['turn', { turn_id: 't' }],
  ['step_delta', { index: 0, text: 'a' }],
  ['step_delta', { index: 0, text: 'b' }],
  ['done', { message_id: 'm' }],
].map(([name, data], i) => `id: ${i + 1}\nevent: ${String(name)}\ndata: ${JSON.stringify(data)}\n\n`);

let server: FakeServer;

beforeEach(() => {
  globalThis.fetch = (_url, init) => {
    const after = new Headers(init?.headers).get('Last-Event-ID');
    return Promise.resolve(server.answer(Number(after)));
  };
});

afterEach(() => {
  globalThis.fetch = realFetch;
});

async function follow(
  options: { after?: number; response?: Response } = {},
): Promise<{ end: FollowEnd; seqs: number[]; cuts: number }> {
  const seen: TurnEvent[] = [];
  let cuts = 0;
  const end = await followTurn({
    turnId: 't',
    after: 0,
    signal: new AbortController().signal,
    take: (event) => seen.push(event),
    connected: (connected) => (cuts += connected ? 0 : 1),
    ...options,
  });
  return { end, seqs: seen.map((event) => event.seq), cuts };
}

describe('following a turn', () => {
  test('a stream that is whole is read once', async () => {
    server = new FakeServer(LOG, []);
    expect(await follow()).toEqual({ end: 'ended', seqs: [1, 2, 3, 4], cuts: 0 });
  });

  test('wherever the connection breaks, each event comes once and in order', async () => {
    const length = LOG.join('').length;
    const positions = Array.from({ length: 12 }, (_, i) => Math.floor((i * length) / 12));
    for (const cut of positions) {
      server = new FakeServer(LOG, [{ cut }]);
      const { end, seqs } = await follow();
      expect({ end, seqs }, `cut at ${cut}`).toEqual({ end: 'ended', seqs: [1, 2, 3, 4] });
    }
  });

  test('the answer of the POST is read first, and the events after it', async () => {
    server = new FakeServer(LOG, [{ cut: LOG.slice(0, 2).join('').length + 5 }, {}]);
    const first = server.answer(0);
    expect(await follow({ response: first })).toMatchObject({ end: 'ended', seqs: [1, 2, 3, 4], cuts: 1 });
    expect(server.asked).toEqual(['0', '2']);
  });

  test('events that were seen before are not taken again', async () => {
    server = new FakeServer(LOG, []);
    expect(await follow({ after: 2, response: new Response(LOG.join('')) })).toMatchObject({ seqs: [3, 4] });
  });

  test('204 says that all was seen', async () => {
    server = new FakeServer(LOG, [{ status: 204 }]);
    expect(await follow({ after: 4 })).toEqual({ end: 'seen', seqs: [], cuts: 0 });
  });

  test('a log that is not as we think is not asked again', async () => {
    for (const status of [404, 409]) {
      server = new FakeServer(LOG, [{ status }]);
      expect((await follow({ after: 9 })).end).toBe('lost');
      expect(server.asked).toHaveLength(1);
    }
  });

  test('a server that is restarting is asked again', async () => {
    server = new FakeServer(LOG, [{ status: 503 }, {}]);
    expect(await follow()).toEqual({ end: 'ended', seqs: [1, 2, 3, 4], cuts: 1 });
  });
});
