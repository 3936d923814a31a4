/** One function for each route that the page uses. */
import { json, send, withQuery } from './http';
import type {
  Check,
  Conversation,
  ConversationSettings,
  Decision,
  FileRef,
  Limits,
  MessagePage,
  Model,
  NewProvider,
  OpenApproval,
  Page,
  Preset,
  Provider,
  ProviderChange,
  ToolInfo,
  ToolRule,
  TurnRef,
} from './types';

const enc = encodeURIComponent;

/** What a request that starts a turn carries. */
export interface TurnRequest {
  client_request_id: string;
  text?: string;
  parent_id?: string | null;
  attachments?: string[];
  /** What happens while the answer before it is still in progress. */
  on_busy?: 'queue';
  /** For another answer: what the model is told instead of the summary that the present one begins with. */
  summary?: string;
  /** Who makes this one answer, in place of the conversation's model; null is the provider's default. */
  provider_id?: string;
  model?: string | null;
}

/** What is other in another answer. */
export type AgainFields = Pick<TurnRequest, 'summary' | 'provider_id' | 'model'>;

export type ConversationChange = Partial<
  ConversationSettings & { title: string; leaf_id: string; pinned: boolean; unread: boolean }
>;

/** Which part of a branch: its end, or what is before, after or around a message of it; after '' is its beginning. */
export interface MessagePart {
  limit: number;
  before?: string;
  after?: string;
  around?: string;
}

export const conversations = {
  list: (pinned: boolean, limit: number, cursor: string | null, signal?: AbortSignal) =>
    json<Page<Conversation>>(withQuery('/api/conversations', { pinned: String(pinned), limit, cursor }), { signal }),
  get: (id: string, signal?: AbortSignal) => json<Conversation>(`/api/conversations/${enc(id)}`, { signal }),
  create: (settings: Partial<ConversationSettings> & { client_request_id: string }) =>
    json<Conversation>('/api/conversations', { method: 'POST', body: settings }),
  change: (id: string, fields: ConversationChange) =>
    json<Conversation>(`/api/conversations/${enc(id)}`, { method: 'PATCH', body: fields }),
  remove: (id: string, keepalive = false) => send(`/api/conversations/${enc(id)}`, { method: 'DELETE', keepalive }),
  messages: (id: string, part: MessagePart, signal?: AbortSignal) =>
    json<MessagePage>(withQuery(`/api/conversations/${enc(id)}/messages`, { ...part }), { signal }),
};

const EVENT_STREAM = { Accept: 'text/event-stream' };

export const turns = {
  /** The three POSTs that start a turn; their answers are the turn's events. */
  post: (conversationId: string, body: TurnRequest, signal: AbortSignal) =>
    send(`/api/conversations/${enc(conversationId)}/messages`, { method: 'POST', body, headers: EVENT_STREAM, signal }),
  regenerate: (messageId: string, body: TurnRequest, signal: AbortSignal) =>
    send(`/api/messages/${enc(messageId)}/regenerate`, { method: 'POST', body, headers: EVENT_STREAM, signal }),
  continue: (messageId: string, body: TurnRequest, signal: AbortSignal) =>
    send(`/api/messages/${enc(messageId)}/continue`, { method: 'POST', body, headers: EVENT_STREAM, signal }),
  events: (turnId: string, after: number, signal: AbortSignal) =>
    send(`/api/turns/${enc(turnId)}/events`, { headers: { ...EVENT_STREAM, 'Last-Event-ID': String(after) }, signal }),
  cancel: (turnId: string) => json<TurnRef>(`/api/turns/${enc(turnId)}/cancel`, { method: 'POST', body: {} }),
  /** Answer a message that waits now: the answer before it is stopped. */
  begin: (turnId: string) => send(`/api/turns/${enc(turnId)}/start`, { method: 'POST', body: {} }),
  cancelCall: (turnId: string, index: number) =>
    send(`/api/turns/${enc(turnId)}/calls/${index}/cancel`, { method: 'POST', body: {} }),
  decide: (turnId: string, index: number, decision: Decision) =>
    send(`/api/turns/${enc(turnId)}/approvals/${index}`, { method: 'POST', body: decision }),
};

/** All that waits for a person. */
export const openApprovals = () => json<{ items: OpenApproval[] }>('/api/approvals');

export const tools = {
  list: () => json<{ items: ToolInfo[] }>('/api/tools'),
  rules: () => json<{ items: ToolRule[] }>('/api/rules'),
  setRules: (items: ToolRule[]) => json<{ items: ToolRule[] }>('/api/rules', { method: 'PUT', body: { items } }),
};

export const files = {
  limits: () => json<Limits>('/api/limits'),
  get: (id: string) => json<FileRef>(`/api/files/${enc(id)}`),
  remove: (id: string) => send(`/api/files/${enc(id)}`, { method: 'DELETE' }),
  content: (id: string) => `/api/files/${enc(id)}/content`,
  text: async (id: string) => (await send(`/api/files/${enc(id)}/content`)).text(),
};

/** The stream of notices about everything that changes. */
export const notices = (signal: AbortSignal) => send('/api/events', { headers: EVENT_STREAM, signal });

/** Who answers; `data` is another one where the data is another owner's. */
export const health = () => json<{ version: string; data: string }>('/api/health');

export const providers = {
  list: () => json<{ items: Provider[] }>('/api/providers'),
  presets: () => json<{ items: Preset[] }>('/api/presets'),
  create: (provider: NewProvider) =>
    json<Provider & { notice?: string }>('/api/providers', { method: 'POST', body: provider }),
  change: (id: string, fields: ProviderChange) =>
    json<Provider>(`/api/providers/${enc(id)}`, { method: 'PATCH', body: fields }),
  remove: (id: string) => send(`/api/providers/${enc(id)}`, { method: 'DELETE' }),
  models: (id: string) => json<{ items: Model[] }>(`/api/providers/${enc(id)}/models`),
  test: (id: string) => json<Check>(`/api/providers/${enc(id)}/test`, { method: 'POST', body: {} }),
};
