/** Which part of a branch is read: one of its ends, what lies around a message, and later what is there again. */
import { conversations as api, type MessagePart } from '../api/client';
import { missing } from '../api/http';
import type { MessagePage } from '../api/types';
import { lazy } from '../markdown/lazy';
import type { MessageView } from './message.svelte';
import type { MessageAddress } from './router.svelte';

export const PAGE = 30;
/** As many as the server gives at once. */
export const MOST = 200;

/** Where one can be led to in a conversation. */
export type Place = 'start' | 'end' | MessageAddress;

const around = lazy(() => import('./around'));

/** Read the part at a place; the end, if the message is not there. Raises Problem. */
export async function readPlace(id: string, place: Place, signal: AbortSignal): Promise<MessagePage> {
  if (place === 'start') return api.messages(id, { limit: PAGE, after: '' }, signal);
  const found = place === 'end' ? null : await (await around()).readAround(id, place.id, PAGE, signal);
  return found ?? readEnd(id, signal);
}

/** Return what has to be read to have again what is there; `hasNewer` if that is not the end of the branch. */
export function partShown(messages: MessageView[], hasNewer: boolean): MessagePart {
  const limit = Math.max(PAGE, Math.min(messages.length, MOST));
  const around = hasNewer ? messages[Math.max(0, messages.length - 1 - Math.floor(limit / 2))]?.id : '';
  return around ? { limit, around } : { limit };
}

/** Read a part; the end, if the message that it lies around is not on the branch any more. */
export async function readPart(id: string, part: MessagePart, signal: AbortSignal): Promise<MessagePage> {
  return (await api.messages(id, part, signal).catch(missing)) ?? readEnd(id, signal);
}

function readEnd(id: string, signal: AbortSignal): Promise<MessagePage> {
  return api.messages(id, { limit: PAGE }, signal);
}
