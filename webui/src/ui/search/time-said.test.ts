import { expect, test } from 'vitest';
import { timeSaid } from './time-said';

const NOW = new Date(2026, 2, 1, 9, 30);

test.each([
  [new Date(2026, 2, 1, 0, 5), '12:05 AM'],
  [new Date(2026, 1, 28, 23, 59), 'Yesterday'],
  [new Date(2026, 1, 27, 12), 'Feb 27'],
  [new Date(2025, 11, 31), 'Dec 31, 2025'],
])('%s is said as %s', (when, said) => {
  expect(timeSaid(when, NOW).replace('\u202f', ' ')).toBe(said);
});
