/** The page's stream of notices: what other tabs, devices and the server itself have changed. */
import { notices } from './client';
import { BackOff, openStream, readEvents } from './connection';
import { Problem } from './http';
import type { Notice } from './types';

/** A hidden tab gives its connection back after this: browsers allow six to a host. */
const HIDDEN_MS = 30_000;
/** Nobody waits longer than this to see something, although the stream has not opened. */
const PATIENCE_MS = 2_000;

export interface NoticeHandlers {
  notice: (notice: Notice) => void;
  /**
   * Read what is shown. It is called when listening has begun, for what was read before that may miss a change that no notice tells
   * of; and once without that, when it does not begin soon. `again` says that it is not the first time.
   */
  read: (again: boolean) => void;
}

/** Listen until the signal is aborted. */
export async function listen(handlers: NoticeHandlers, signal: AbortSignal): Promise<void> {
  const backOff = new BackOff();
  let again = false;
  const read = () => {
    clearTimeout(timer);
    handlers.read(again);
    again = true;
  };
  const timer = setTimeout(read, PATIENCE_MS);
  signal.addEventListener('abort', () => clearTimeout(timer));
  while (!signal.aborted) {
    await visible(signal);
    const attempt = new AbortController();
    const release = abortWhenHidden(attempt, signal);
    try {
      const response = await openStream(notices, attempt.signal);
      read();
      backOff.reset();
      backOff.floor =
        (await readEvents(response, attempt.signal, (event) => {
          if (event.name === 'notice') handlers.notice(JSON.parse(event.data) as Notice);
        })) ?? 0;
    } catch (error) {
      if (attempt.signal.aborted) continue;
      const spoken = error instanceof Problem && !error.unreachable;
      if (spoken || !again) read();
      if (spoken && (error.status === 404 || error.status === 405 || error.needsOwner)) await onFocusOnly(signal);
    } finally {
      release();
    }
    if (!attempt.signal.aborted) await backOff.wait(signal);
  }
}

/** A server without notices: look again whenever the page is looked at. */
function onFocusOnly(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    addEventListener('focus', () => resolve(), { once: true, signal });
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function visible(signal: AbortSignal): Promise<void> {
  if (document.visibilityState === 'visible') return Promise.resolve();
  return new Promise((resolve) => {
    const seen = () => {
      if (document.visibilityState !== 'visible' && !signal.aborted) return;
      document.removeEventListener('visibilitychange', seen);
      resolve();
    };
    document.addEventListener('visibilitychange', seen);
    signal.addEventListener('abort', seen, { once: true });
  });
}

function abortWhenHidden(attempt: AbortController, signal: AbortSignal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => attempt.abort();
  const change = () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') timer = setTimeout(stop, HIDDEN_MS);
  };
  document.addEventListener('visibilitychange', change);
  signal.addEventListener('abort', stop);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', change);
    signal.removeEventListener('abort', stop);
  };
}
