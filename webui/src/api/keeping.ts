/** The routes of sharing, exporting and importing. */
import { json, send, withQuery } from './http';
import { uploadTo } from './upload';

export const SHARE_PARTS = ['thinking', 'tool_arguments', 'tool_results', 'files', 'system_prompt'] as const;
export type SharePart = (typeof SHARE_PARTS)[number];

export interface Share {
  id: string;
  conversation_id: string;
  title: string;
  include: SharePart[];
  created_at: string;
}

export interface ImportReport {
  found: number;
  imported: number;
  /** Those that were here already. */
  skipped: number;
  refused: number;
  messages: number;
  sources: Record<string, number>;
  left_out: Record<string, number>;
  mended: Record<string, number>;
  problems: { title: string; reason: string }[];
  conversation_ids: string[];
}

const enc = encodeURIComponent;

export const shares = {
  list: () => json<{ items: Share[] }>('/api/shares'),
  /** The path holds the token; it is told only now. */
  create: (conversationId: string, include: SharePart[]) =>
    json<{ share: Share; path: string }>(`/api/conversations/${enc(conversationId)}/shares`, {
      method: 'POST',
      body: { include },
    }),
  remove: (id: string) => send(`/api/shares/${enc(id)}`, { method: 'DELETE' }),
};

export type ExportFormat = 'markdown' | 'json';

/** The address of a conversation as a file. */
export function exportPath(conversationId: string, format: ExportFormat, contents: boolean): string {
  return withQuery(`/api/conversations/${enc(conversationId)}/export`, {
    format,
    contents: contents ? 'true' : undefined,
  });
}

/** The address of everything as a file. */
export function exportAllPath(contents: boolean): string {
  return withQuery('/api/export', { contents: contents ? 'true' : undefined });
}

/** Import what another system, or Luxx, exported; `progress` gets the share that is sent. Raises Problem. */
export function importFile(file: File, progress: (share: number) => void, signal: AbortSignal): Promise<ImportReport> {
  return uploadTo<ImportReport>('/api/imports', file, progress, signal);
}
