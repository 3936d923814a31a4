/** The way to the copies that this browser keeps. They are a help and nothing more: where they fail, the page does without. */
import { lazy } from '../markdown/lazy';

type Offline = typeof import('./offline');

/** So long after it has loaded, the page has better things to do. */
const PATIENCE_MS = 1_000;

const offline = lazy(() => import('./offline'));
const loaded = new Promise((resolve) => {
  if (document.readyState === 'complete') resolve(undefined);
  else addEventListener('load', resolve);
});

let last: Promise<unknown> = loaded;

/** Keep or forget something, in a moment and in this order. `work` gets `asked`, the time before which nothing of it was read, in ms. */
export function keep(work: (offline: Offline, asked: number) => Promise<void>, asked = Date.now()): void {
  const due = loaded.then(() => new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)));
  last = Promise.all([due, last]).then(() => recall((offline) => work(offline, asked)));
}

/** Ask for what was kept; undefined if it cannot be had. */
export async function recall<Kept>(work: (offline: Offline) => Promise<Kept>): Promise<Kept | undefined> {
  try {
    return await work(await offline());
  } catch {
    return undefined; // A private window, a full disk, storage that was closed.
  }
}
