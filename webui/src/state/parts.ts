/** Which part of a branch is read: a page of it at first, and later what is shown again. */
import { conversations as api, type MessagePart } from '../api/client';
import { Problem } from '../api/http';
import type { MessagePage } from '../api/types';
import type { MessageView } from './message.svelte';

export const PAGE = 30;
/** As many as the server gives at once. */
export const MOST = 200;

/** Return what has to be read to have again what is shown; `hasNewer` if that is not the end of the branch. */
export function partShown(messages: MessageView[], hasNewer: boolean): MessagePart {
  const limit = Math.max(PAGE, Math.min(messages.length, MOST));
  const around = hasNewer ? messages[Math.max(0, messages.length - 1 - Math.floor(limit / 2))]?.id : '';
  return around ? { limit, around } : { limit };
}

/** Read a part; the end, if the message that it lies around is not on the branch any more. */
export function readPart(id: string, part: MessagePart, signal: AbortSignal): Promise<MessagePage> {
  return api.messages(id, part, signal).catch((error: unknown) => {
    if (!part.around || !(error instanceof Problem) || error.status !== 404) throw error;
    return api.messages(id, { limit: PAGE }, signal);
  });
}
