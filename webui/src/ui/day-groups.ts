/** Which stretch of time a moment belongs to, seen from now. */

export type DayGroup = 'today' | 'yesterday' | 'week' | 'month' | 'older';

const DAY_MS = 86_400_000;

export function dayGroup(time: string, now: Date): DayGroup {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const then = Date.parse(time);
  if (then >= midnight) return 'today';
  if (then >= midnight - DAY_MS) return 'yesterday';
  if (then >= midnight - 7 * DAY_MS) return 'week';
  return then >= midnight - 30 * DAY_MS ? 'month' : 'older';
}
