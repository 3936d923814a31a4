import { expect, it } from 'vitest';
import { spoken } from './spoken';

it('reads words without marks', () => {
  expect(spoken('# Tea\n\nIt is **very** `hot`; see [here](https://a.example).\n\n- one\n- two')).toBe(
    'Tea It is very hot ; see here. one two',
  );
});

it('reads links by their words, and formulas without their signs', () => {
  expect(spoken('See [wiki](https://a.example/A_(b)), [x](http://a.example "t (u)") and \\(a^2\\).')).toBe(
    'See wiki, x and a^2 .',
  );
});

it('leaves code out', () => {
  expect(spoken('Look:\n\n```js\nlet x = 1;\n```\n\nDone.')).toBe('Look: … Done.');
  expect(spoken('Look:\n\n```js\nlet x = 1;')).toBe('Look: …');
});

it('ends a long answer with a sentence', () => {
  const long = spoken('One two three four. '.repeat(200));
  expect(long.length).toBeLessThan(510);
  expect(long.endsWith('four. …')).toBe(true);
  expect(spoken('字'.repeat(300) + '。' + '字'.repeat(900))).toBe('字'.repeat(300) + '。 …');
});

it('takes its time for no text', () => {
  for (const sign of ['[', '`', '![', '|', '~~~\n', '$', '[a](', '[a](b('])
    expect(spoken(sign.repeat(200_000)).length).toBeLessThan(600);
});
