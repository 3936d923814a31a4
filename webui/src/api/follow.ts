/** Following a turn to its end, over any number of connections. Each event is given once and in order. */
import { turns } from './client';
import { BackOff, openStream, readEvents } from './connection';
import { Problem } from './http';
import type { ServerSentEvent } from './sse';
import type { TurnEvent } from './types';

/** How the following ended: with the turn's last event; all was seen before; the log is not as we think; or not allowed. */
export type FollowEnd = 'ended' | 'seen' | 'lost' | 'refused';

export interface Following {
  turnId: string;
  /** The last seq that was seen. */
  after: number;
  /** An answer that is already open, as that of the POST which started the turn. */
  response?: Response;
  signal: AbortSignal;
  take: (event: TurnEvent) => void;
  /** Told when the connection is lost and when it is back. */
  connected: (connected: boolean) => void;
}

const END_NAMES = new Set(['done', 'error', 'cancelled']);

export async function followTurn(following: Following): Promise<FollowEnd> {
  const { turnId, signal, connected } = following;
  const backOff = new BackOff();
  const reader = new SeqReader(following);
  let response = following.response;
  for (;;) {
    try {
      response ??= await openStream((opened) => turns.events(turnId, reader.seq, opened), signal);
      if (response.status === 204) return 'seen';
      connected(true);
      const before = reader.seq;
      backOff.floor = (await readEvents(response, signal, (event) => reader.take(event))) ?? 0;
      if (reader.ended) return 'ended';
      if (reader.seq > before) backOff.reset();
    } catch (error) {
      const end = endFor(error);
      if (end) return end;
    }
    if (signal.aborted) return 'lost';
    response = undefined;
    if (reader.ended) return 'ended';
    connected(false);
    await backOff.wait(signal);
    if (signal.aborted) return 'lost';
  }
}

/** Which errors no new attempt can mend. */
function endFor(error: unknown): FollowEnd | undefined {
  if (!(error instanceof Problem)) return undefined;
  if (error.needsOwner) return 'refused';
  if ([400, 404, 409, 410].includes(error.status)) return 'lost';
  return undefined;
}

/** Lets each event of a turn through once. */
class SeqReader {
  seq: number;
  ended = false;

  constructor(private readonly following: Following) {
    this.seq = following.after;
  }

  take(event: ServerSentEvent): void {
    const seq = Number(event.id);
    if (!Number.isSafeInteger(seq) || seq <= this.seq) return;
    const data: unknown = JSON.parse(event.data);
    this.seq = seq;
    if (END_NAMES.has(event.name)) this.ended = true;
    this.following.take({ name: event.name, seq, data } as TurnEvent);
  }
}
