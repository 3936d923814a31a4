/** Searching titles and messages. */
import { json, withQuery } from './http';
import type { Page } from './types';

export interface Mark {
  start: number;
  end: number;
}

/** A title or, with a `message_id`, a message that holds what was looked for; `marks` are places in the snippet. */
export interface Hit {
  conversation_id: string;
  title: string;
  message_id: string | null;
  role: 'user' | 'assistant' | null;
  snippet: string;
  marks: Mark[];
  created_at: string;
}

export const search = (query: string, cursor: string | null, signal: AbortSignal) =>
  json<Page<Hit>>(withQuery('/api/search', { q: query, limit: 50, cursor }), { signal });
