import { expect, test } from 'vitest';
import { reasonOf } from './failure-reason';
import cases from './failure-texts.json';

test.each(cases)('of “$said” is left what the page does not say', ({ code, said, shown }) => {
  expect(reasonOf(code, said)).toBe(shown);
});

test('what nobody else says is told as it stands', () => {
  expect(reasonOf('provider_unreachable', 'No route. Try again later, or not.')).toBe(
    'No route. Try again later, or not.',
  );
  expect(reasonOf('internal', 'Something.')).toBe('');
});
