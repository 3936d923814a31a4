import { expect, test } from 'vitest';
import type { Conversation } from '../api/types';
import { groupsOf } from './day-groups';

const NOW = new Date(2026, 2, 30, 9);

function at(...date: [number, number, number, number?]): Conversation {
  return { id: date.join('-'), updated_at: new Date(...date).toISOString() } as Conversation;
}

test('conversations stand under the stretch of time of their last activity, after those that are pinned', () => {
  const pinned = [at(2020, 0, 1)];
  const items = [
    at(2026, 2, 30),
    at(2026, 2, 29, 1),
    at(2026, 2, 23, 2),
    at(2026, 2, 5),
    at(2025, 1, 1),
    at(2024, 1, 1),
  ];
  const found = groupsOf(pinned, items, NOW).map(({ name, items, rowsBefore }) => [name, items.length, rowsBefore]);
  expect(found).toEqual([
    ['pinned', 1, 0],
    ['today', 1, 1],
    ['yesterday', 1, 2],
    ['week', 1, 3],
    ['month', 1, 4],
    ['older', 2, 5],
  ]);
});

test('a list without conversations has no headings', () => {
  expect(groupsOf([], [], NOW)).toEqual([]);
});
