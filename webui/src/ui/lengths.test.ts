import { expect, test } from 'vitest';
import { lengthOf } from './lengths';

test('characters are counted as the server counts them', () => {
  expect(lengthOf('né', 0)).toBe(2);
  expect(lengthOf('😀😀', 0)).toBe(2);
  expect(lengthOf('a\uD83D', 0)).toBe(2);
});

test('a text that is far from its limit is not counted', () => {
  expect(lengthOf('x'.repeat(89), 90)).toBe(0);
  expect(lengthOf('😀'.repeat(89), 90)).toBe(0);
  expect(lengthOf('😀'.repeat(90), 90)).toBe(90);
});
