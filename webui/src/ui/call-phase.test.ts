import { expect, test } from 'vitest';
import type { Approval, Step, ToolResultStep } from '../api/types';
import { Steps, type ToolPair } from '../state/steps.svelte';
import { isMoving, isQuiet, phaseOf } from './call-phase';

const call: Step = {
  ...{ id: 'step-0', index: 0, type: 'tool_call', state: 'complete', call: 1 },
  ...{ id_ref: 'c', name: 'x', arguments: '{}' },
};

function resultOf(fields: Partial<ToolResultStep>): Step {
  return {
    ...{ id: 'step-1', index: 1, type: 'tool_result', state: 'failed', call: 1 },
    ...{ id_ref: 'step-0', name: 'x', content: 'no', ...fields },
  };
}

function pairIn(steps: Steps): ToolPair {
  const [part] = steps.parts;
  if (part?.kind !== 'tools' || !part.pairs[0]) throw new Error('no call');
  return part.pairs[0];
}

function phase(fields: Partial<ToolResultStep>, approval?: Approval['state']): string {
  return phaseOf(
    pairIn(new Steps([call, resultOf(fields)])),
    approval && { index: 0, name: 'x', arguments: {}, state: approval },
    false,
  );
}

test('a call that was not run to its end is told by why', () => {
  const words = ['denied', 'expired', 'forbidden', 'limit', 'off', 'missing', 'cancelled', 'unknown'];
  expect(words.map((unfinished) => phase({ unfinished }))).toEqual([
    ...['notRun', 'notRun', 'forbidden', 'limit', 'off', 'missing', 'cancelled', 'unknown'],
  ]);
  expect(phase({ unfinished: 'unknown', duration_ms: 60_000 })).toBe('unknown');
});

test('a tool that failed has failed, and so has what a newer server tells', () => {
  expect(phase({ duration_ms: 5 })).toBe('failed');
  expect(phase({ unfinished: null })).toBe('failed');
  expect(phase({ unfinished: 'a_new_word' })).toBe('failed');
  expect(phase({ unfinished: 'toString' })).toBe('failed');
});

test('what older servers have stored is told by its approval and its first words', () => {
  expect(phase({}, 'denied')).toBe('notRun');
  expect(phase({}, 'expired')).toBe('notRun');
  expect(phase({}, 'approved')).toBe('failed');
  expect(phase({ content: 'Outcome unknown: it was stopped.' })).toBe('unknown');
  expect(phase({ content: 'Outcome unknown: so it said.', duration_ms: 5 })).toBe('failed');
});

test('a call is quiet if it went well, left no file, and was over when it was first seen', () => {
  const file = { type: 'file', id: 'f', name: 'a.csv', media_type: 'text/csv', size: 1 } as const;
  const quiet = (fields: Partial<ToolResultStep>) => isQuiet(pairIn(new Steps([call, resultOf(fields)])));
  expect(quiet({ state: 'complete' })).toBe(true);
  expect(quiet({ state: 'failed' })).toBe(false);
  expect(quiet({ state: 'failed', unfinished: 'denied' })).toBe(false);
  expect(quiet({ state: 'complete', parts: [file] })).toBe(false);
  expect(isQuiet(pairIn(new Steps([call])))).toBe(false);
  const seen = new Steps();
  seen.put(call);
  seen.put(resultOf({ state: 'complete' }));
  expect(isQuiet(pairIn(seen))).toBe(false);
});

test('a part shows that something goes on while it thinks, writes a call or runs one, but not while it asks', () => {
  const moving = (steps: Step[], approvals: Approval[] = []) =>
    new Steps(steps).parts.map((part) => isMoving(part, approvals));
  const thought = { id: 'step-0', index: 0, type: 'thinking', call: 1, content: 'Hm.' } as const;
  expect(moving([{ ...thought, state: 'running' }])).toEqual([true]);
  expect(moving([{ ...thought, state: 'complete' }])).toEqual([false]);
  expect(moving([{ ...thought, type: 'text', state: 'running' }])).toEqual([false]);
  expect(moving([{ ...call, state: 'running' }])).toEqual([true]);
  expect(moving([call])).toEqual([true]);
  expect(moving([call], [{ index: 0, name: 'x', arguments: {}, state: 'requested' }])).toEqual([false]);
  expect(moving([call, resultOf({ state: 'running' })])).toEqual([true]);
  expect(moving([call, resultOf({ state: 'complete' })])).toEqual([false]);
});
