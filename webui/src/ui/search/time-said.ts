/** When something was said, as short as it is still told apart: the time of today, "Yesterday", or a date. */
import { t } from '../../text';

export function timeSaid(when: Date, now: Date): string {
  const midnight = (daysAgo: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo);
  if (when >= midnight(0)) return when.toLocaleTimeString(t.language, { timeStyle: 'short' });
  if (when >= midnight(1)) return t.sidebar.groups.yesterday;
  const sameYear = when.getFullYear() === now.getFullYear();
  return when.toLocaleDateString(t.language, {
    day: 'numeric',
    month: 'short',
    ...(!sameYear && { year: 'numeric' }),
  });
}
