import { expect, test } from 'vitest';
import { parseObject, visible } from './arguments';
import { exactJson, exactRows, isCode } from './exact-arguments';

test('what is decided about is shown exactly: hidden and reordering characters are written out', () => {
  expect(exactRows({ label: 'one', text: 'x\ny', 'n\u200bame': 'safe\u202etxt.exe', list: [1] })).toEqual([
    { name: 'label', value: 'one', block: false, code: false },
    { name: 'text', value: 'x\ny', block: true, code: false },
    { name: 'n\\u200bame', value: '"safe\\u202etxt.exe"', block: false, code: false },
    { name: 'list', value: '[\n  1\n]', block: true, code: true },
  ]);
  expect(visible('tab\t and\nline stay')).toBe('tab\t and\nline stay');
});

test('a text has quotes only where it would be taken for something else without them', () => {
  const shown = (value: unknown) => exactRows({ value })[0]?.value;
  expect(['1', 'true', 'null', '', ' ', 'a ', '"a"'].map(shown)).toEqual(
    ['1', 'true', 'null', '', ' ', 'a ', '"a"'].map((text) => JSON.stringify(text)),
  );
  expect(['{}', '[]', 'a\u3164b', 'a\u{e0101}'].map(shown)).toEqual([
    '"{}"',
    '"[]"',
    '"a\\u3164b"',
    '"a\\udb40\\udd01"',
  ]);
  expect(['\\u202e', 'I ❤️ it'].map(shown)).toEqual(['\\u202e', 'I ❤️ it']);
  expect(shown(Number('12345678901234567890'))).toMatch(/^≈ 1234567890123456/);
  expect([1, true, null, 'it is 1', 'truely', 'a\n'].map(shown)).toEqual([
    '1',
    'true',
    'null',
    'it is 1',
    'truely',
    'a\n',
  ]);
});

test('code is known by its name, by lines that are set in, or as an address', () => {
  for (const name of ['command', 'shell_command', 'filePath', 'SQL', 'base-url']) expect(isCode(name, 'x')).toBe(true);
  for (const name of ['body', 'to', 'encoded', 'subject', 'postcodes']) expect(isCode(name, 'x')).toBe(false);
  expect(isCode('body', 'if a:\n  b()')).toBe(true);
  expect(isCode('to', 'https://example.org/a')).toBe(true);
  expect(isCode('to', 'see https://example.org/a')).toBe(false);
});

test('exact JSON hides nothing and is read back as it was', () => {
  const given = { 'n\u200b': 'a\u202eb\u{e0041}\n', list: [null, 'é'] };
  expect(exactJson(given)).toBe(
    '{\n  "n\\u200b": "a\\u202eb\\udb40\\udc41\\n",\n  "list": [\n    null,\n    "é"\n  ]\n}',
  );
  expect(parseObject(exactJson(given))).toEqual(given);
});
