/** The shapes of the HTTP interface (docs/api.md). */

export type TurnStatus = 'queued' | 'active' | 'waiting' | 'done' | 'failed' | 'cancelled';
export type StepState = 'running' | 'complete' | 'failed' | 'void';

export interface TurnRef {
  id: string;
  status: TurnStatus;
  seq: number;
  message_id: string;
}

/** What a conversation says about how its turns are made; null means the server's own choice. */
export interface ConversationSettings {
  system_prompt: string | null;
  provider_id: string | null;
  model: string | null;
  temperature: number | null;
  max_tokens: number | null;
  tools_enabled: boolean;
}

export interface Conversation extends ConversationSettings {
  id: string;
  title: string;
  title_source: 'auto' | 'user';
  leaf_id: string | null;
  created_at: string;
  updated_at: string;
  turns: TurnRef[];
}

interface StepBase {
  id: string;
  index: number;
  state: StepState;
  call: number;
}

export interface ContentStep extends StepBase {
  type: 'thinking' | 'text';
  content: string;
}

export interface ToolCallStep extends StepBase {
  type: 'tool_call';
  id_ref: string;
  name: string;
  arguments: string;
}

export interface ToolResultStep extends StepBase {
  type: 'tool_result';
  id_ref: string;
  name: string;
  content: string;
  duration_ms?: number | null;
}

export type Step = ContentStep | ToolCallStep | ToolResultStep;

export interface TurnError {
  code: string;
  content: string;
}

export interface Message {
  id: string;
  conversation_id: string;
  parent_id: string | null;
  role: 'user' | 'assistant';
  text: string;
  created_at: string;
  siblings: string[];
  steps?: Step[];
  status?: TurnStatus;
  provider?: string | null;
  model?: string | null;
  finish_reason?: string | null;
  token_count?: number | null;
  error?: TurnError | null;
  turn?: TurnRef | null;
}

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export interface MessagePage {
  items: Message[];
  has_more: boolean;
}

/** The events of a turn, by name. Names that are not here are left out by the reader. */
export interface TurnEvents {
  turn: {
    turn_id: string;
    message_id: string;
    user_message_id: string;
    conversation_id: string;
    provider: string;
    model: string;
  };
  process_step: { step: Step };
  step_delta: { index: number; text: string };
  tool_progress: { index: number; message: string; progress: number | null; total: number | null };
  recovered: { epoch: number; discarded: number[] };
  done: { message_id: string; token_count: number; finish_reason: string | null };
  error: { content: string; code: string; message_id: string };
  cancelled: { message_id: string };
}

export type TurnEvent = {
  [Name in keyof TurnEvents]: { name: Name; seq: number; data: TurnEvents[Name] };
}[keyof TurnEvents];

export interface Notice {
  kind: 'turn_started' | 'turn_ended' | 'conversation_changed' | 'conversation_deleted';
  conversation_id: string;
  turn_id?: string;
  status?: TurnStatus;
}

export type ProviderFormat = 'openai' | 'local' | 'scripted';

export interface Provider {
  id: string;
  name: string;
  format: ProviderFormat;
  base_url: string | null;
  default_model: string | null;
  is_default: boolean;
  has_key: boolean;
  /** False where no model of this provider can call tools. */
  tools: boolean;
}

export interface NewProvider {
  name: string;
  format: ProviderFormat;
  base_url?: string;
  api_key?: string;
  default_model?: string;
  is_default?: boolean;
}

export interface Model {
  id: string;
  context_window?: number | null;
}

export interface ProviderTest {
  ok: boolean;
  detail: string;
  models?: number;
}

/** An error as the server reports it (RFC 9457). */
export interface ProblemDocument {
  status: number;
  code?: string;
  title?: string;
  detail?: string;
  errors?: { field: string; message: string }[];
  turn_id?: string;
}
