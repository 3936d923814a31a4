/** The steps of an assistant message as the page shows them; fed by a snapshot and then by the turn's events. */
import type { ResultPart, SourceStep, Step, StepState, TurnEvents } from '../api/types';
import { answerText } from './answer-text';
import { TextBuffer } from './text-buffer';

export class StepView {
  readonly index: number;
  readonly type: Step['type'];
  readonly call: number;
  state = $state<StepState>('running');
  name = $state('');
  durationMs = $state<number | null>(null);
  progress = $state<TurnEvents['tool_progress'] | null>(null);
  /** The step as the server told it last. */
  step = $state.raw<Step>();
  /** What of a tool's result is no text. */
  readonly parts = $derived<ResultPart[]>(this.step?.type === 'tool_result' ? (this.step.parts ?? []) : []);
  /** The step's content, or the arguments of a tool call. */
  readonly text: TextBuffer;
  /** The step id of the call that this is the result of. */
  readonly callId: string | undefined;
  readonly id: string;
  /** When this page first saw the step, in the clock of `performance.now()`; undefined if it was already there on arrival. */
  readonly since: number | undefined;

  constructor(step: Step, since?: number) {
    this.id = step.id;
    this.index = step.index;
    this.type = step.type;
    this.call = step.call;
    this.since = since;
    this.callId = step.type === 'tool_result' ? step.id_ref : undefined;
    this.text = new TextBuffer();
    this.update(step);
  }

  update(step: Step): void {
    if (this.state === 'running' && step.state !== 'running' && this.since !== undefined)
      this.durationMs = performance.now() - this.since;
    this.state = step.state;
    this.step = step;
    if (step.type === 'tool_call') this.text.set(step.arguments);
    else if (step.type !== 'file') this.text.set(step.content);
    if (step.type === 'tool_call' || step.type === 'tool_result') this.name = step.name;
    if (step.type === 'tool_result' && typeof step.duration_ms === 'number') this.durationMs = step.duration_ms;
  }
}

/** A tool call with its result, as soon as there is one. */
export interface ToolPair {
  key: number;
  call: StepView | undefined;
  result: StepView | undefined;
}

/** What is shown as one thing: a step of its own, or tool calls that were made together. */
export type Part =
  | { kind: 'text'; key: number; step: StepView }
  | { kind: 'thinking'; key: number; step: StepView }
  | { kind: 'file'; key: number; step: StepView }
  | { kind: 'notice'; key: number; step: StepView }
  | { kind: 'summary'; key: number; step: StepView }
  | { kind: 'resumed'; key: string }
  | { kind: 'tools'; key: number; pairs: ToolPair[] };

export class Steps {
  private views = $state<StepView[]>([]);
  /** The last steps before each restart of the server, by index. */
  private resumed = $state.raw<readonly number[]>([]);
  readonly parts = $derived(toParts(this.views, this.resumed));
  /** What the answer cites, each address once. They stand together, for they would tear the text apart. */
  readonly sources = $derived(sourcesIn(this.views));
  readonly empty = $derived(this.views.length === 0);

  constructor(steps: Step[] = []) {
    this.replace(steps);
  }

  replace(steps: Step[], resumed: readonly number[] = []): void {
    this.resumed = resumed;
    this.views = steps.filter(isKnown).map((step) => new StepView(step));
  }

  put(step: Step): void {
    if (!isKnown(step)) return;
    const view = this.at(step.index);
    if (view) {
      view.update(step);
      return;
    }
    const next = new StepView(step, performance.now());
    const place = this.views.findIndex((other) => other.index > step.index);
    this.views.splice(place < 0 ? this.views.length : place, 0, next);
  }

  grow(index: number, text: string): void {
    this.at(index)?.text.append(text);
  }

  progress(progress: TurnEvents['tool_progress']): void {
    const view = this.at(progress.index);
    if (view) view.progress = progress;
  }

  /** The server was restarted: these steps are void, and those to come stand behind the others. */
  resume(discarded: number[]): void {
    this.views = this.views.filter((view) => !discarded.includes(view.index));
    this.resumed = [...this.resumed, Math.max(-1, ...this.views.map((view) => view.index))];
  }

  /** The answer as it is taken away: what was said before and after a tool stands apart. */
  text(): string {
    return answerText(this.said());
  }

  /** The answer as the server tells it: all text steps, with nothing between. */
  streamed(): string {
    return this.said()
      .map(({ text }) => text)
      .join('');
  }

  private said(): { type: string; call: number; text: string }[] {
    return this.views.map(({ type, call, text }) => ({ type, call, text: type === 'text' ? text.text : '' }));
  }

  private at(index: number): StepView | undefined {
    return this.views.findLast((view) => view.index === index);
  }
}

const KNOWN: ReadonlySet<string> = new Set<Step['type']>([
  ...(['thinking', 'text', 'tool_call', 'tool_result', 'file', 'source', 'notice', 'summary'] as const),
]);

function isKnown(step: Step): boolean {
  return step.state !== 'void' && KNOWN.has(step.type);
}

function sourcesIn(views: StepView[]): SourceStep[] {
  const sources = new Map<string, SourceStep>();
  for (const { step } of views) if (step?.type === 'source' && !sources.has(step.url)) sources.set(step.url, step);
  return [...sources.values()];
}

/**
 * Put the steps together: calls that follow each other in one answer of the model are a group, results go to their calls. A mark
 * stands after each of the steps in `resumed`.
 */
export function toParts(views: StepView[], resumed: readonly number[] = []): Part[] {
  const parts: Part[] = [];
  const pairs = new Map<string, ToolPair>();
  const marks = [...new Set(resumed)];
  let group: { call: number; pairs: ToolPair[] } | undefined;
  const mark = (before: number) => {
    const passed = marks.splice(0, marks.filter((index) => index < before).length);
    if (!passed.length || parts.at(-1)?.kind === 'resumed') return;
    parts.push({ kind: 'resumed', key: `resumed-${passed[0]}` });
    group = undefined;
  };
  for (const view of views) {
    if (view.type !== 'tool_result') mark(view.index);
    if (view.type === 'source') continue;
    if (view.type !== 'tool_call' && view.type !== 'tool_result') {
      parts.push({ kind: view.type, key: view.index, step: view });
      group = undefined;
      continue;
    }
    const known = view.callId === undefined ? undefined : pairs.get(view.callId);
    if (known) {
      known.result = view;
      continue;
    }
    const pair: ToolPair = {
      key: view.index,
      call: view.type === 'tool_call' ? view : undefined,
      result: view.type === 'tool_result' ? view : undefined,
    };
    pairs.set(view.id, pair);
    if (group?.call === view.call) {
      group.pairs.push(pair);
    } else {
      group = { call: view.call, pairs: [pair] };
      parts.push({ kind: 'tools', key: view.index, pairs: group.pairs });
    }
  }
  mark(Infinity);
  return parts;
}
