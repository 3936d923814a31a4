import { expect, test } from 'vitest';
import type { Approval, Step, ToolResultStep } from '../api/types';
import { Steps } from '../state/steps.svelte';
import { phaseOf } from './call-phase';

const call: Step = {
  ...{ id: 'step-0', index: 0, type: 'tool_call', state: 'complete', call: 1 },
  ...{ id_ref: 'c', name: 'x', arguments: '{}' },
};

function phase(fields: Partial<ToolResultStep>, approval?: Approval['state']): string {
  const result: Step = {
    ...{ id: 'step-1', index: 1, type: 'tool_result', state: 'failed', call: 1 },
    ...{ id_ref: 'step-0', name: 'x', content: 'no', ...fields },
  };
  const [part] = new Steps([call, result]).parts;
  if (part?.kind !== 'tools' || !part.pairs[0]) throw new Error('no call');
  return phaseOf(part.pairs[0], approval && { index: 0, name: 'x', arguments: {}, state: approval }, false);
}

test('a call that was not run to its end is told by why', () => {
  const words = ['denied', 'expired', 'forbidden', 'limit', 'cancelled', 'unknown'];
  expect(words.map((unfinished) => phase({ unfinished }))).toEqual([
    ...['notRun', 'notRun', 'forbidden', 'limit', 'cancelled', 'unknown'],
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
