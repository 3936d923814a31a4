/** Which rule counts for a tool: the cases are those of the server (`tests/core/test_rules.py`). */
import { expect, test } from 'vitest';
import type { Asks, ToolRule } from '../api/types';
import cases from './tool-rules.json';
import { fits, holding, merged, ruleFor, withHolding } from './tool-rules';

test.each(cases as [string, string, boolean][])('%s and %s', (pattern, tool, expected) => {
  expect(fits(pattern, tool)).toBe(expected);
});

const RULES: ToolRule[] = [
  { tool: 'files_*', action: 'ask' },
  { tool: 'calculator', action: 'deny' },
  { tool: '*', action: 'allow' },
];

test('the first rule that fits counts', () => {
  expect(ruleFor(RULES, 'files_read')).toBe(RULES[0]);
  expect(ruleFor(RULES, 'calculator')).toBe(RULES[1]);
  expect(ruleFor(RULES, 'other')).toBe(RULES[2]);
  expect(ruleFor([], 'other')).toBeUndefined();
});

const said = (rules: ToolRule[]) => rules.map(({ tool, action }) => `${tool} ${action}`);
const tool = (name: string, asks: Asks = 'never') => ({ name, asks });

test('without a rule a tool does what it does by itself', () => {
  expect(holding([], tool('a', 'never'))).toBe('allow');
  expect(holding([], tool('a', 'always'))).toBe('ask');
  expect(holding([], tool('a', 'depends'))).toBe('depends');
  expect(holding(RULES, tool('calculator', 'depends'))).toBe('deny');
});

test('a rule for one tool wins over the patterns that fit it, and is the only one for it', () => {
  const denied = withHolding(RULES, tool('files_read'), 'deny');
  expect(said(denied)).toEqual(['files_read deny', 'files_* ask', 'calculator deny', '* allow']);
  const asks = withHolding(withHolding(denied, tool('files_read'), 'allow'), tool('calculator'), 'ask');
  expect(said(asks)).toEqual(['files_read allow', 'files_* ask', 'calculator ask', '* allow']);
  expect(said(withHolding([], tool('calculator'), 'ask'))).toEqual(['calculator ask']);
});

test('no rule is written for what holds without it', () => {
  expect(said(withHolding(RULES, tool('calculator'), 'allow'))).toEqual(['files_* ask', '* allow']);
  const asked: ToolRule[] = [{ tool: 'fetch', action: 'ask' }];
  expect(withHolding(asked, tool('fetch', 'depends'), 'depends')).toEqual([]);
  expect(withHolding(asked, tool('fetch', 'never'), 'allow')).toEqual([]);
});

test('what was changed elsewhere is left when edited rules are stored', () => {
  const rule = (tool: string, action: ToolRule['action']): ToolRule => ({ tool, action });
  const base = [rule('wait*', 'deny'), rule('python', 'allow'), rule('old', 'ask')];
  const now = [rule('time', 'ask'), rule('wait*', 'deny'), rule('python', 'ask')];
  expect(said(merged([...base, rule('zz*', 'allow')], base, now))).toEqual([
    ...['time ask', 'python ask', 'wait* deny', 'zz* allow'],
  ]);
  expect(said(merged([rule('python', 'deny')], base, now))).toEqual(['time ask', 'python deny']);
  expect(said(merged([], base, base))).toEqual([]);
});
