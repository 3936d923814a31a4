/** How a tool call stands, as one word tells it. */
import type { Approval, Unfinished } from '../api/types';
import type { Part, StepView, ToolPair } from '../state/steps.svelte';

export type CallPhase = 'writing' | 'asks' | 'running' | 'complete' | 'failed' | 'notRun' | Refusal;
type Refusal = 'forbidden' | 'limit' | 'off' | 'missing' | 'cancelled' | 'unknown';

/** How older servers begin the result of a call that was cut while it ran, and that nobody may run again. */
const UNKNOWN = 'Outcome unknown:';

const PHASES: readonly (readonly [Unfinished, CallPhase])[] = [
  ['denied', 'notRun'],
  ['expired', 'notRun'],
  ['forbidden', 'forbidden'],
  ['limit', 'limit'],
  ['off', 'off'],
  ['missing', 'missing'],
  ['cancelled', 'cancelled'],
  ['unknown', 'unknown'],
];
const BY_WORD = new Map<string, CallPhase>(PHASES);

/** Return the approval that a call had to ask for. */
export function approvalOf({ call }: ToolPair, approvals: readonly Approval[]): Approval | undefined {
  return approvals.find((item) => !item.question && item.index === call?.index);
}

/** Whether a part of an answer in progress shows by itself that something goes on. */
export function isMoving(part: Part, approvals: readonly Approval[]): boolean {
  if (part.kind === 'thinking') return part.steps.at(-1)?.state === 'running';
  if (part.kind !== 'tools') return false;
  return part.pairs.some((pair) => ['writing', 'running'].includes(phaseOf(pair, approvalOf(pair, approvals), true)));
}

/** Whether a call of an answer that is over went well before anybody looked, and has left nothing to be seen. */
export function isQuiet(pair: ToolPair): boolean {
  const seen = (pair.call ?? pair.result)?.since !== undefined;
  const made = pair.result?.parts.some((part) => part.type === 'file');
  return !seen && !made && phaseOf(pair, undefined, false) === 'complete';
}

/** `approval` is that of the call, if it had to ask; `live` says whether its turn goes on. */
export function phaseOf({ call, result }: ToolPair, approval: Approval | undefined, live: boolean): CallPhase {
  if (result && result.state !== 'running')
    return result.state === 'failed' ? unfinished(result, approval) : 'complete';
  if (call?.state === 'failed') return 'failed';
  if (!live) return 'notRun';
  if (approval?.state === 'requested') return 'asks';
  return call?.state === 'running' && !result ? 'writing' : 'running';
}

/** Tell a tool that failed from one that was not let run to its end: that is no failure. */
function unfinished({ step }: StepView, approval: Approval | undefined): CallPhase {
  if (step?.type !== 'tool_result') return 'failed';
  if (step.unfinished) return BY_WORD.get(step.unfinished) ?? 'failed';
  if (approval?.state === 'denied' || approval?.state === 'expired') return 'notRun';
  // A tool that ended by itself, whatever it said, has a duration.
  return typeof step.duration_ms !== 'number' && step.content.startsWith(UNKNOWN) ? 'unknown' : 'failed';
}
