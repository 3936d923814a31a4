/** Stopping a turn, also while the server is away. */
import { turns } from '../api/client';
import { BackOff } from '../api/connection';
import { Problem } from '../api/http';

/** Ask for the end of a turn until the server has heard it, or the turn has no id any more, since it is over. Raises Problem if it is refused. */
export async function cancelTurn(turnId: () => string | null): Promise<void> {
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
