import { expect, test } from 'vitest';
import { argumentFields, readFields, type Entry } from './argument-fields';

const GIVEN = {
  to: 'a@b.c',
  body: 'one\r\ntwo',
  sql: 'SELECT 1',
  n: 1.5,
  now: true,
  cc: ['x'],
  none: null,
  odd: 'a\u202eb',
};

function after(given: Record<string, unknown>, changes: Record<string, Entry>) {
  const fields = argumentFields(given);
  return readFields(
    fields,
    fields.map(({ name, initial }) => (Object.hasOwn(changes, name) ? changes[name] : undefined) ?? initial),
  );
}

test('each argument has the field that fits its value; what a field would hide is JSON', () => {
  expect(argumentFields(GIVEN).map(({ kind }) => kind)).toEqual([
    ...['text', 'text', 'code', 'number', 'check', 'json', 'json', 'json'],
  ]);
  expect(argumentFields(GIVEN).at(-1)?.initial).toBe('"a\\u202eb"');
});

test('what nobody has touched stays as it came', () => {
  const mixed = { ...GIVEN, text: 'a\r\nb\nc' };
  expect(after(mixed, {})).toEqual({ given: mixed, faults: {} });
});

test('a number that could not be read exactly is not sent as another one', () => {
  expect(after({ n: Number('12345678901234567890'), m: Infinity, ok: 1 }, {}).faults).toEqual({
    0: 'number',
    1: 'number',
  });
});

test('entries become values of the same kinds, and line ends stay those of the text', () => {
  const { given, faults } = after(GIVEN, {
    body: 'one\ntwo\nthree',
    n: ' -2e3 ',
    now: false,
    cc: '{"a": 1}',
    odd: '"b"',
  });
  expect(faults).toEqual({});
  expect(given).toEqual({ ...GIVEN, body: 'one\r\ntwo\r\nthree', n: -2000, now: false, cc: { a: 1 }, odd: 'b' });
});

test('what is no number, too large to be held or no JSON is told by its place', () => {
  for (const n of ['', 'x', '1,5', '0x1f', '01', 'Infinity', '9007199254740993', '1e400'])
    expect(after(GIVEN, { n }).faults).toEqual({ 3: 'number' });
  expect(after(GIVEN, { cc: '[1', none: '' }).faults).toEqual({ 5: 'json', 6: 'json' });
});

test('a name that means something to the language is a name', () => {
  const given = JSON.parse('{"__proto__": "a", "n": 1}') as Record<string, unknown>;
  expect(Object.entries(after(given, { n: '2' }).given)).toEqual([
    ['__proto__', 'a'],
    ['n', 2],
  ]);
});
