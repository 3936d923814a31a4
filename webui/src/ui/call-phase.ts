/** How a tool call stands, as one word tells it. */
import type { Approval } from '../api/types';
import type { ToolPair } from '../state/steps.svelte';

export type CallPhase = 'writing' | 'asks' | 'running' | 'complete' | 'failed' | 'unknown' | 'notRun';

/** How the server begins the result of a call that was cut while it ran, and that nobody may run again. */
const UNKNOWN = 'Outcome unknown:';

/** `approval` is that of the call, if it had to ask; `live` says whether its turn goes on. */
export function phaseOf({ call, result }: ToolPair, approval: Approval | undefined, live: boolean): CallPhase {
  if (result && result.state !== 'running') {
    if (result.state !== 'failed') return 'complete';
    if (isRefused(approval)) return 'notRun';
    return isUnknown(result) ? 'unknown' : 'failed';
  }
  if (call?.state === 'failed') return 'failed';
  if (!live) return 'notRun';
  if (approval?.state === 'requested') return 'asks';
  return call?.state === 'running' && !result ? 'writing' : 'running';
}

/** Whether a person did not allow the call, or nobody in time: that is no failure. */
function isRefused(approval: Approval | undefined): boolean {
  return approval?.state === 'denied' || approval?.state === 'expired';
}

/** A tool that ended by itself, whatever it said, has a duration. */
function isUnknown({ step }: NonNullable<ToolPair['result']>): boolean {
  return step?.type === 'tool_result' && typeof step.duration_ms !== 'number' && step.content.startsWith(UNKNOWN);
}
