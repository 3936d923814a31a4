/** Conversations under headings: those that are pinned, then stretches of time, seen from now. */
import type { Conversation } from '../api/types';

export type GroupName = 'pinned' | 'today' | 'yesterday' | 'week' | 'month' | 'older';

export interface ConversationGroup {
  name: GroupName;
  items: Conversation[];
  /** How many rows are above the first one. */
  rowsBefore: number;
}

/** `activeAt` tells when a conversation counts as last active; the lists are in that order, the latest first. */
export function groupsOf(
  pinned: Conversation[],
  items: Conversation[],
  now: Date,
  activeAt = ({ updated_at }: Conversation) => updated_at,
): ConversationGroup[] {
  const groups: ConversationGroup[] = pinned.length ? [{ name: 'pinned', items: pinned, rowsBefore: 0 }] : [];
  const starts = startsOf(now);
  items.forEach((item, i) => {
    const name = stretchOf(Date.parse(activeAt(item)), starts);
    const last = groups.at(-1);
    if (last?.name === name) last.items.push(item);
    else groups.push({ name, items: [item], rowsBefore: pinned.length + i });
  });
  return groups;
}

/** The beginning of each stretch, as local midnights: a day is not always 24 hours long. */
function startsOf(now: Date): [GroupName, number][] {
  const daysAgo = (days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).getTime();
  return [
    ['today', daysAgo(0)],
    ['yesterday', daysAgo(1)],
    ['week', daysAgo(7)],
    ['month', daysAgo(30)],
  ];
}

function stretchOf(time: number, starts: [GroupName, number][]): GroupName {
  return starts.find(([, start]) => time >= start)?.[0] ?? 'older';
}
