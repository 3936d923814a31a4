/** The keys that lead through a conversation, also where nothing is written yet and nothing else has the focus. */

/** To an end of the conversation, or by so many pages. */
export type Way = 'start' | 'end' | -1 | 1;

const WAYS: Readonly<Record<string, Way>> = { Home: 'start', End: 'end', PageUp: -1, PageDown: 1 };

/** Return where a key leads; undefined if it means something else where it is pressed. */
export function wayOf(event: KeyboardEvent, area: Element): Way | undefined {
  const way = WAYS[event.key];
  const { target } = event;
  if (!way || event.defaultPrevented || event.shiftKey || event.altKey || !(target instanceof Element))
    return undefined;
  const isPage = typeof way === 'number';
  if (area.contains(target)) return isPage || target.closest('input, textarea, select') ? undefined : way;
  return isIdle(target, area) && !(isPage && event.ctrlKey) ? way : undefined;
}

function isIdle(target: Element, area: Element): boolean {
  if (area.closest('[inert]') || document.querySelector('dialog[open]')) return false;
  return target === document.body || (target.id === 'composer' && !(target as HTMLTextAreaElement).value);
}
