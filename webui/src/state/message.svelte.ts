/** A message as the page shows it. An assistant message in progress takes the events of its turn. */
import type { Approval, FileRef, Message, TurnError, TurnEvent, TurnStatus, Usage } from '../api/types';
import { isStopping } from './cancel';
import { Steps } from './steps.svelte';

const RUNNING: ReadonlySet<TurnStatus> = new Set(['queued', 'active', 'waiting']);

let localKeys = 0;

export class MessageView {
  /** Stable for the page, from before the server has given an id. */
  readonly key: string;
  readonly role: Message['role'];
  id = $state('');
  parentId = $state<string | null>(null);
  text = $state('');
  siblings = $state<string[]>([]);
  createdAt = $state('');
  status = $state<TurnStatus>('done');
  error = $state<TurnError | null>(null);
  /** When the provider may be asked again, in ms as `Date.now`; only where it said so. */
  retryAt = $state<number | undefined>();
  provider = $state<string | null>(null);
  model = $state<string | null>(null);
  finishReason = $state<string | null>(null);
  tokenCount = $state<number | null>(null);
  usage = $state.raw<Usage | null>(null);
  endedAt = $state<string | null>(null);
  turnId = $state<string | null>(null);
  stopping = $state(false);
  attachments = $state.raw<FileRef[]>([]);
  /** What was asked of a person while this message was made, the last word on each. */
  approvals = $state.raw<Approval[]>([]);
  /** When there was last news of it, in the clock of `performance.now()`. Nothing is drawn anew for it: there is news with each word. */
  heardAt = performance.now();
  readonly waiting = $derived(this.approvals.some((approval) => approval.state === 'requested'));
  readonly steps: Steps;
  readonly running = $derived(RUNNING.has(this.status));

  constructor(message: Message) {
    this.key = message.id || `local-${++localKeys}`;
    this.role = message.role;
    this.steps = new Steps();
    this.update(message);
  }

  /** Take everything from the server's form of the message. */
  update(message: Message): void {
    this.describe(message);
    this.text = message.text;
    this.status = message.status ?? 'done';
    this.error = message.error ?? null;
    if (this.error?.retry_after && message.ended_at)
      // The clock of the server may be ahead.
      this.retryAt ??= Math.min(Date.parse(message.ended_at), Date.now()) + this.error.retry_after * 1000;
    this.turnId = message.turn?.id ?? null;
    this.stopping = this.running && (this.stopping || isStopping(this.turnId));
    this.approvals = [...(message.approvals ?? []), ...(message.turn?.approvals ?? [])];
    if (message.role === 'assistant') this.steps.replace(message.steps ?? [], message.recovered, message.remade);
  }

  /** Take what the server says about the message, but not its content. */
  describe(message: Message): void {
    this.id = message.id;
    this.parentId = message.parent_id;
    this.siblings = message.siblings;
    this.attachments = message.attachments ?? [];
    this.createdAt = message.created_at;
    this.provider = message.provider ?? null;
    this.model = message.model ?? null;
    this.finishReason = message.finish_reason ?? null;
    this.tokenCount = message.token_count ?? null;
    this.usage = message.usage ?? null;
    this.endedAt = message.ended_at ?? null;
  }

  /** What a person gets who copies the message: its markdown. */
  source(): string {
    return this.role === 'user' ? this.text : this.steps.text();
  }

  /** What the server tells as the message's `text`. */
  streamed(): string {
    return this.role === 'user' ? this.text : this.steps.streamed();
  }

  apply(event: TurnEvent): void {
    this.heardAt = performance.now();
    if (event.name !== 'turn' && this.status === 'queued') this.status = 'active';
    switch (event.name) {
      case 'turn':
        this.id = event.data.message_id;
        this.provider = event.data.provider;
        this.model = event.data.model;
        return;
      case 'process_step':
        return this.steps.put(event.data.step);
      case 'step_delta':
        return this.steps.grow(event.data.index, event.data.text);
      case 'tool_progress':
        return this.steps.progress(event.data);
      case 'approval':
        return this.ask(event.data);
      case 'recovered':
        this.forget(event.data.discarded);
        return this.steps.resume(event.data.discarded);
      case 'done':
        this.tokenCount = event.data.token_count;
        this.usage = event.data.usage;
        this.finishReason = event.data.finish_reason;
        return this.end('done');
      case 'error':
        this.error = { code: event.data.code, content: event.data.content };
        if (event.data.retry_after) this.retryAt = Date.now() + event.data.retry_after * 1000;
        return this.end('failed');
      case 'cancelled':
        return this.end('cancelled');
    }
  }

  private ask(approval: Approval): void {
    this.approvals = [...this.approvals.filter((other) => other.index !== approval.index), approval];
  }

  private forget(calls: number[]): void {
    this.approvals = this.approvals.filter(({ index, question }) => !calls.includes(question?.call ?? index));
  }

  end(status: TurnStatus): void {
    this.approvals = this.approvals.filter((approval) => approval.state !== 'requested');
    this.status = status;
    this.stopping = false;
    this.turnId = null;
  }
}

/** A message of which the server has not said anything yet. */
export function localMessage(
  role: Message['role'],
  text: string,
  parentId: string | null,
  attachments: FileRef[] = [],
): MessageView {
  const message: Message = {
    id: '',
    conversation_id: '',
    parent_id: parentId,
    role,
    text,
    created_at: new Date().toISOString(),
    siblings: [],
    attachments,
  };
  if (role === 'assistant') message.status = 'queued';
  return new MessageView(message);
}
