/** Stopping a turn, also while the server is away, and when the page is loaded anew meanwhile. */
import { turns } from '../api/client';
import { BackOff } from '../api/connection';
import { Problem } from '../api/http';
import { storeList, storedList } from './storage';

/** The turns whose end is asked for by this tab, and not heard of by the server yet. */
const ASKED = 'stops';
const underWay = new Map<string, Promise<void>>();

/** Ask for the end of a turn until the server has heard it, or the turn has no id any more, since it is over. Raises Problem if it is refused. */
export async function cancelTurn(turnId: () => string | null): Promise<void> {
  const id = turnId();
  if (!id) return;
  const asking = underWay.get(id) ?? insist(turnId).finally(() => forget(id));
  if (!underWay.has(id)) write([...read().filter((other) => other !== id), id]);
  underWay.set(id, asking);
  await asking;
}

async function insist(turnId: () => string | null): Promise<void> {
  const backOff = new BackOff();
  for (let id = turnId(); id; id = turnId()) {
    try {
      await turns.cancel(id);
      return;
    } catch (error) {
      if (!(error instanceof Problem && error.passing)) throw error;
      await backOff.wait(new AbortController().signal);
    }
  }
}

function forget(id: string): void {
  underWay.delete(id);
  write(read().filter((other) => other !== id));
}

/** Whether the end of a turn was asked for before the page was loaded, or since, and the server has not heard it. */
export function isStopping(turnId: string | null): boolean {
  return turnId !== null && read().includes(turnId);
}

/** Go on with what was asked for before the page was loaded. A turn that is over, or not there, needs no end. */
export function resumeStops(): void {
  for (const id of read()) void cancelTurn(() => id).catch(() => undefined);
}

function read(): string[] {
  return storedList(ASKED, 'tab').filter((id) => typeof id === 'string');
}

function write(ids: string[]): void {
  storeList(ASKED, ids, 'tab');
}
