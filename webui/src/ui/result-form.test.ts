import { expect, test } from 'vitest';
import { beginning, cell, resultForm } from './result-form';

test('a list of objects with the same flat fields is a table', () => {
  const form = resultForm('[{"a": 1, "b": "x"}, {"a": 2}, {"a": 3, "b": null}]');
  expect(form).toMatchObject({ kind: 'table', columns: ['a', 'b'] });
  expect([cell(1), cell('x'), cell(null), cell(undefined), cell(false)]).toEqual(['1', 'x', '', '', 'false']);
});

test('what has no columns in common, or something inside of a field, is folded', () => {
  const others = ['{"a": 1}', '[1, 2]', '[]', '[{"a": 1}]', '[{"a": [1]}, {"a": 2}]', '[{"a": 1}, {"b": 1}, {"c": 1}]'];
  expect(others.map((text) => resultForm(text).kind)).toEqual(others.map(() => 'json'));
});

test('anything else is the text that it is', () => {
  for (const text of ['', '42', '[broken', 'null', '{ plain', '"quoted"'])
    expect(resultForm(text)).toEqual({ kind: 'text', text });
});

test('a long text begins with what fits, a short one is whole', () => {
  const lines = (n: number) => Array.from({ length: n }, (_, i) => `line ${i}`).join('\n');
  expect(beginning(lines(41))).toBeUndefined();
  expect(beginning(lines(500))?.split('\n')).toHaveLength(40);
  expect(beginning('x'.repeat(4_100))).toBeUndefined();
  expect(beginning('x'.repeat(50_000))).toHaveLength(4_000);
});
