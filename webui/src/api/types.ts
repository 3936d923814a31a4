/** The shapes of the HTTP interface (docs/api.md). */

export type TurnStatus = 'queued' | 'active' | 'waiting' | 'done' | 'failed' | 'cancelled';
export type StepState = 'running' | 'complete' | 'failed' | 'void';

export interface TurnRef {
  id: string;
  status: TurnStatus;
  seq: number;
  message_id: string;
  /** What waits for a person; only where the message is listed. */
  approvals?: Approval[];
}

/** Tokens of an answer, and its cost. Those of the cache are among the input, reasoning is among the output. */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cached_tokens: number;
  cache_write_tokens: number;
  reasoning_tokens: number;
  /** The provider gave no figures. */
  estimated: boolean;
  /** In US dollars; null where nobody knows. */
  cost?: number | null;
}

export type RuleAction = 'allow' | 'ask' | 'deny';

/** What to do with calls of the tools whose name fits the pattern; the first rule that fits counts. */
export interface ToolRule {
  tool: string;
  action: RuleAction;
}

export type Thinking = 'off' | 'low' | 'medium' | 'high';

/** What a conversation says about how its turns are made; null means the server's own choice. */
export interface ConversationSettings {
  system_prompt: string | null;
  provider_id: string | null;
  model: string | null;
  temperature: number | null;
  max_tokens: number | null;
  tools_enabled: boolean;
  thinking: Thinking | null;
  rules: ToolRule[];
}

export interface Conversation extends ConversationSettings {
  id: string;
  title: string;
  title_source: 'auto' | 'user';
  leaf_id: string | null;
  pinned: boolean;
  /** An answer has ended that nobody has looked at. */
  unread: boolean;
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

export interface TextStep extends StepBase {
  type: 'text';
  content: string;
}

export interface ThinkingStep extends StepBase {
  type: 'thinking';
  content: string;
  duration_ms?: number | null;
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
  parts?: ResultPart[];
  duration_ms?: number | null;
  /** Why a failed call was not run to its end, where the tool did not end it itself: one of `Unfinished`, or a word of a newer server. */
  unfinished?: string | null;
}

export type Unfinished = 'denied' | 'expired' | 'forbidden' | 'limit' | 'off' | 'missing' | 'cancelled' | 'unknown';

export interface FileStep extends StepBase {
  type: 'file';
  file_id: string;
  name: string;
  media_type: string;
  size: number;
}

export interface SourceStep extends StepBase {
  type: 'source';
  url: string;
  title: string;
  content: string;
}

export interface NoticeStep extends StepBase {
  type: 'notice';
  kind: string;
  content: string;
}

/** What the model was told instead of the earlier messages. */
export interface SummaryStep extends StepBase {
  type: 'summary';
  content: string;
}

export type Step =
  TextStep | ThinkingStep | ToolCallStep | ToolResultStep | FileStep | SourceStep | NoticeStep | SummaryStep;

/** What a message and its files may have; sizes are in bytes. */
export interface Limits {
  message_chars: number;
  message_files: number;
  file_bytes: number;
  conversation_files_bytes: number;
  media_types: string[];
}

export interface FileRef {
  id: string;
  name: string;
  media_type: string;
  size: number;
}

/** What of a tool's result is no text; kinds that are not here are left out. */
export type ResultPart = ({ type: 'file' } & FileRef) | { type: 'json'; value: unknown };

export type ApprovalState = 'requested' | 'approved' | 'denied' | 'expired';

/** What a running tool asks a person: to fill in a form (a flat JSON schema), or to open an address. */
export interface Question {
  /** The index of the call that asks. */
  call: number;
  message: string;
  schema?: Record<string, unknown>;
  url?: string;
}

/** A tool call that waits for a person, or a question of a running tool under an index of its own. */
export interface Approval {
  index: number;
  name: string;
  arguments: Record<string, unknown>;
  state: ApprovalState;
  expires_at?: string;
  question?: Question;
}

export interface OpenApproval {
  turn_id: string;
  conversation_id: string;
  approval: Approval;
}

export interface Decision {
  approve: boolean;
  arguments?: Record<string, unknown>;
  always?: boolean;
}

export type ToolEffect = 'read' | 'idempotent' | 'unsafe';
export type Asks = 'always' | 'never' | 'depends';

export interface ToolInfo {
  name: string;
  description: string;
  effect: ToolEffect;
  /** Whether a person is asked before it runs. */
  asks: Asks;
  /** Who brought it: `luxx`, or the name of a server. */
  source: string;
}

export interface TurnError {
  code: string;
  content: string;
  /** In seconds, from the end of the answer on. */
  retry_after?: number;
}

export interface Message {
  id: string;
  conversation_id: string;
  parent_id: string | null;
  role: 'user' | 'assistant';
  text: string;
  created_at: string;
  siblings: string[];
  attachments?: FileRef[];
  steps?: Step[];
  status?: TurnStatus;
  provider?: string | null;
  model?: string | null;
  finish_reason?: string | null;
  token_count?: number | null;
  usage?: Usage | null;
  ended_at?: string | null;
  /** What a person decided about it. */
  approvals?: Approval[];
  /** The last steps before each restart of the server, by index; -1 for one before the first. */
  recovered?: number[];
  /** Those of them where something that had been shown was taken away, to be made again. */
  remade?: number[];
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
  has_newer: boolean;
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
  approval: Approval;
  recovered: { epoch: number; discarded: number[] };
  done: { message_id: string; token_count: number; usage: Usage; finish_reason: string | null };
  /** `retry_after` is in seconds. */
  error: { content: string; code: string; message_id: string; retry_after?: number };
  cancelled: { message_id: string };
}

export type TurnEvent = {
  [Name in keyof TurnEvents]: { name: Name; seq: number; data: TurnEvents[Name] };
}[keyof TurnEvents];

export interface Notice {
  kind: 'turn_started' | 'turn_ended' | 'approvals_changed' | 'conversation_changed' | 'conversation_deleted';
  conversation_id: string;
  turn_id?: string;
  status?: TurnStatus;
}

export type ProviderFormat = 'openai' | 'responses' | 'anthropic' | 'gemini' | 'local' | 'scripted';

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
  preset: string | null;
  /** Who answers when this one fails. */
  fallback_id: string | null;
  /** Those that were entered, by the names of the models. */
  prices?: Record<string, Price>;
}

/** US dollars for a million tokens. */
export interface Price {
  input: number;
  output: number;
  /** Input from the provider's cache; without a price of its own it costs what other input does. */
  cached_input?: number;
  /** Input put into that cache; the same. */
  cache_write?: number;
}

/** A well-known provider. */
export interface Preset {
  id: string;
  name: string;
  format: ProviderFormat;
  /** Null: everyone has an address of their own. */
  base_url: string | null;
  key: 'needed' | 'optional' | 'none';
  key_url: string | null;
  default_model: string | null;
  /** It runs on one's own machine. */
  own: boolean;
  hint: string | null;
}

export interface NewProvider {
  preset: string;
  name?: string;
  format?: ProviderFormat;
  base_url?: string;
  api_key?: string;
  default_model?: string;
}

/** What of a provider can be changed; null takes a value away. */
export interface ProviderChange {
  name?: string;
  base_url?: string | null;
  api_key?: string | null;
  default_model?: string | null;
  is_default?: boolean;
  fallback_id?: string | null;
  /** Models that are not named keep their prices. */
  prices?: Record<string, Price | null>;
}

export interface Model {
  id: string;
  name?: string | null;
  context_window?: number | null;
  /** Absent where nobody says. */
  abilities?: Ability[] | null;
}

export type Ability = 'tools' | 'images' | 'files' | 'thinking';

/** What a try-out of a provider or a server found. */
export interface Check {
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
