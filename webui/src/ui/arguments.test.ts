import { expect, test } from 'vitest';
import { argumentRows, brief, firstLine, parseObject, sameJson, summary, withoutEdit } from './arguments';

test('arguments are read by name, texts of several lines as blocks', () => {
  expect(argumentRows('{"code": "a\\nb", "n": 1, "list": []}')).toEqual([
    { name: 'code', value: 'a\nb', block: true },
    { name: 'n', value: '1', block: false },
    { name: 'list', value: '[]', block: false },
  ]);
});

test('no arguments are an empty object, and what is no object is not read', () => {
  expect(argumentRows('')).toEqual([]);
  for (const text of ['{"a": ', '[1]', 'null', '3', 'plain']) expect(argumentRows(text)).toBeUndefined();
});

test('structured content that repeats the text is known as such', () => {
  expect(sameJson({ a: 1, b: [2] }, '{"b": [2], "a": 1}')).toBe(true);
  expect(sameJson({ a: 1 }, '{"a": 1')).toBe(false);
});

test('the line shows values, or what has been written so far', () => {
  expect(summary('{"expression": "1 +\\n 1", "digits": 2}')).toBe('1 + 1, 2');
  expect(summary('{"expression": "1 +')).toBe('{"expression": "1 +');
});

test('arguments that a person writes must be an object', () => {
  expect(parseObject('{"a": [1]}')).toEqual({ a: [1] });
  expect(parseObject('  ')).toEqual({});
  for (const text of ['[1]', '1', '{"a"', 'null']) expect(parseObject(text)).toBeUndefined();
});

test('a result is told without the line that says whose arguments it had', () => {
  expect(withoutEdit('[The person changed the arguments to {"a":"b]"}]\n42\n43')).toBe('42\n43');
  expect(withoutEdit('42\n43')).toBe('42\n43');
});

test('a first line that only announces the next is told with it', () => {
  expect(firstLine('\n Bad arguments:\n\n  `expression` is missing\nmore')).toBe(
    'Bad arguments: `expression` is missing',
  );
  expect(firstLine('No such file.\nmore')).toBe('No such file.');
});

test('a result is told in short by what it holds', () => {
  const short = (text: string) => brief(text, (n) => `${n} entries`);
  expect(short('[{"title": "a"}, {"title": "b"}]')).toBe('2 entries');
  expect(short('{"results": [1, 2, 3]}')).toBe('3 entries');
  expect(short('{"city": "Berlin", "degrees": 21, "wind": {"kmh": 8}}')).toBe('Berlin, 21, {"kmh":8}');
  expect(short('{}')).toBe('');
  expect(short('[not json] but\n  text')).toBe('[not json] but text');
  expect(short('42')).toBe('42');
  expect(short(`[${'1,'.repeat(60_000)}1]`)).toMatch(/^\[1,1,.* …$/);
});
