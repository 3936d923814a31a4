/** What in the conversation waits for a person: where it is decided, and whether that is in sight. */
import type { Approval } from '../api/types';

/** Return the first control of what waits. */
export function firstWaiting(content: HTMLElement): HTMLElement | null {
  return content.querySelector('[data-waits] :is(input, textarea, select, .buttons button)');
}

/** Return how many wait while none of the buttons that decide are in sight. `waiting` is told anew when messages come and go. */
export function countUnseen(
  places: () => [area: HTMLElement, content: HTMLElement],
  waiting: () => readonly Approval[],
): () => number {
  let unseen = $state(false);

  $effect(() => {
    if (waiting().length) return observe(places(), (inSight) => (unseen = !inSight));
    unseen = false;
    return undefined;
  });

  return () => (unseen ? waiting().length : 0);
}

function observe([area, content]: [HTMLElement, HTMLElement], tell: (inSight: boolean) => void): () => void {
  const rows = content.querySelectorAll('[data-waits] .buttons');
  const inSight = new Set<Element>();
  const ending = new AbortController();
  /** Who fills in a form knows of it. */
  let writing = !!document.activeElement?.closest('[data-waits] form');
  const look = () => ending.signal.aborted || tell(writing || inSight.size > 0);
  const focused = ({ type, target }: FocusEvent) => {
    writing = type === 'focusin' && target instanceof Element && !!target.closest('[data-waits] form');
    // What has the focus may be leaving the document, in the midst of an update of the page.
    queueMicrotask(look);
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) inSight[isIntersecting ? 'add' : 'delete'](target);
      look();
    },
    { root: area, rootMargin: '-8px 0px', threshold: 0.4 },
  );
  for (const row of rows) observer.observe(row);
  if (!rows.length) look();
  for (const type of ['focusin', 'focusout'] as const)
    content.addEventListener(type, focused, { signal: ending.signal });
  return () => {
    observer.disconnect();
    ending.abort();
  };
}
