/** Reading the part of a conversation that a link leads to. */
import { conversations as api } from '../api/client';
import { missing } from '../api/http';
import type { MessagePage } from '../api/types';

/** Read the part around a message, whose branch becomes the one shown; null if it is not there. */
export async function readAround(
  id: string,
  messageId: string,
  limit: number,
  signal: AbortSignal,
): Promise<MessagePage | null> {
  const read = () => api.messages(id, { limit, around: messageId }, signal).catch(missing);
  const shown = await read();
  if (shown || !(await api.change(id, { leaf_id: messageId }).catch(missing))) return shown;
  return read();
}
