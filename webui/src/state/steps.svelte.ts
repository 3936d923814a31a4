/** The steps of an assistant message as the page shows them; fed by a snapshot and then by the turn's events. */
import type { ResultPart, SourceStep, Step, StepState, TurnEvents } from '../api/types';
import { answerText, Seams } from './answer-text';
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
    if ('duration_ms' in step && typeof step.duration_ms === 'number') this.durationMs = step.duration_ms;
  }
}

/** A tool call with its result, as soon as there is one. */
export interface ToolPair {
  key: number;
  call: StepView | undefined;
  result: StepView | undefined;
}

/** A text in as many steps as model calls have written it; `open` says that more of it may come in a step that is not there yet. */
export interface TextPart {
  kind: 'text';
  key: number;
  steps: StepView[];
  open: boolean;
}

/** The server was restarted here; `anew` says that something which had been shown was taken away, to be made again. */
export interface ResumedPart {
  kind: 'resumed';
  key: string;
  anew: boolean;
}

/** What is shown as one thing: a step of its own, texts that go on with each other, or tool calls that were made together. */
export type Part =
  | TextPart
  | { kind: 'thinking'; key: number; steps: StepView[] }
  | { kind: 'file'; key: number; step: StepView }
  | { kind: 'notice'; key: number; step: StepView }
  | { kind: 'summary'; key: number; step: StepView }
  | ResumedPart
  | { kind: 'tools'; key: number; pairs: ToolPair[] };

export class Steps {
  private views = $state<StepView[]>([]);
  /** The last steps before each restart of the server, by index. */
  private resumed = $state.raw<readonly number[]>([]);
  /** Those of them where steps were taken away. */
  private remade = $state.raw<readonly number[]>([]);
  readonly parts = $derived(toParts(this.views, this.resumed, this.remade));
  /** How often the server was restarted. */
  readonly restarts = $derived(this.resumed.length);
  /** What the answer cites, each address once. They stand together, for they would tear the text apart. */
  readonly sources = $derived(sourcesIn(this.views));
  readonly empty = $derived(this.views.length === 0);

  constructor(steps: Step[] = []) {
    this.replace(steps);
  }

  replace(steps: Step[], resumed: readonly number[] = [], remade: readonly number[] = []): void {
    this.resumed = resumed;
    this.remade = remade;
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
    const last = Math.max(-1, ...this.views.map((view) => view.index));
    this.resumed = [...this.resumed, last];
    if (discarded.length) this.remade = [...this.remade, last];
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

/** Put the steps together. A mark stands after each of the steps in `resumed`, but for one that would tear a text apart. */
export function toParts(views: StepView[], resumed: readonly number[] = [], remade: readonly number[] = []): Part[] {
  const grouping = new Grouping(resumed, remade);
  for (const view of views) grouping.take(view);
  return grouping.end();
}

class Grouping {
  private readonly parts: Part[] = [];
  private readonly pairs = new Map<string, ToolPair>();
  private readonly marks: number[];
  private readonly seams = new Seams();
  private text: TextPart | undefined;
  /** The tool calls that the next one may join: nothing has come since that is shown. */
  private group: { call: number; pairs: ToolPair[] } | undefined;

  constructor(
    resumed: readonly number[],
    private readonly remade: readonly number[],
  ) {
    this.marks = [...new Set(resumed)];
  }

  take(view: StepView): void {
    if (view.type !== 'tool_result') this.mark(view.index);
    switch (view.type) {
      case 'source':
        return;
      case 'tool_call':
      case 'tool_result':
        return this.takeTool(view);
      case 'text':
        return this.takeText(view);
      case 'thinking':
        return this.takeThinking(view);
      case 'file':
        this.text = undefined;
        return this.add({ kind: view.type, key: view.index, step: view });
      default:
        this.add({ kind: view.type, key: view.index, step: view });
    }
  }

  end(): Part[] {
    this.mark(Infinity);
    if (this.text) this.text.open = this.seams.open;
    return this.parts;
  }

  private add(part: Part): void {
    this.parts.push(part);
    this.group = undefined;
  }

  private mark(before: number): void {
    const passed = this.marks.splice(0, this.marks.filter((index) => index < before).length);
    if (!passed.length) return;
    const anew = passed.some((index) => this.remade.includes(index));
    const there = this.parts.at(-1);
    if (there?.kind === 'resumed') there.anew ||= anew;
    else this.add({ kind: 'resumed', key: `resumed-${passed[0]}`, anew });
  }

  /** What goes on with a text goes to it, whatever the model has thought in between; a file stays between its texts. */
  private takeText(view: StepView): void {
    const goesOn = this.seams.text(view.call);
    if (!goesOn || !this.text) {
      this.text = { kind: 'text', key: view.index, steps: [view], open: false };
      this.add(this.text);
      return;
    }
    this.text.steps.push(view);
    if (this.parts.at(-1)?.kind === 'resumed') this.parts.pop();
  }

  private takeThinking(view: StepView): void {
    const before = this.parts.at(-1);
    if (before?.kind === 'thinking') before.steps.push(view);
    else this.add({ kind: 'thinking', key: view.index, steps: [view] });
  }

  /** Calls that follow each other in one answer of the model are a group, results go to their calls. */
  private takeTool(view: StepView): void {
    this.seams.tool(view.call);
    const known = view.callId === undefined ? undefined : this.pairs.get(view.callId);
    if (known) {
      known.result = view;
      return;
    }
    const pair: ToolPair = {
      key: view.index,
      call: view.type === 'tool_call' ? view : undefined,
      result: view.type === 'tool_result' ? view : undefined,
    };
    this.pairs.set(view.id, pair);
    if (this.group?.call === view.call) {
      this.group.pairs.push(pair);
      return;
    }
    const pairs = [pair];
    this.add({ kind: 'tools', key: view.index, pairs });
    this.group = { call: view.call, pairs };
  }
}
