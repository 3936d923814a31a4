/** Bringing a message into sight to which a link or a search has led. */
import { Found } from './found';

/** What is above may take its size a little later; until then the message is held where it is. */
const HOLD_MS = 700;
/** How far from the upper edge it stands, in pixels. */
const GAP = 48;
const MOVES = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

let shown: Found | undefined;

/**
 * Scroll the area to the element with `shift` and give it the focus. If `query` is found in it, that is marked, and its first place is in
 * sight; else the element is lit for a moment.
 */
export function reveal(area: HTMLElement, element: HTMLElement, shift: (by: number) => void, query = ''): void {
  forget();
  const found = new Found(element, query);
  shown = found;
  addEventListener('keydown', escaped, true);
  const ending = new AbortController();
  for (const name of MOVES) area.addEventListener(name, () => ending.abort(), { passive: true, signal: ending.signal });
  const began = performance.now();
  const hold = () => {
    if (ending.signal.aborted || !element.isConnected) return;
    shift(Math.round(distance(area, element, found.first)));
    if (performance.now() - began < HOLD_MS) requestAnimationFrame(hold);
    else ending.abort();
  };
  hold();
  focus(element);
  if (found.first) aside(found.first);
  else light(element);
}

/** Take the marks away. */
export function forget(): void {
  removeEventListener('keydown', escaped, true);
  shown?.clear();
  shown = undefined;
}

function escaped(event: KeyboardEvent): void {
  if (event.key === 'Escape') forget();
}

/** Return how far to scroll: the message begins near the upper edge, unless its first mark would be out of sight then. */
function distance(area: HTMLElement, element: HTMLElement, mark: Range | undefined): number {
  const box = area.getBoundingClientRect();
  const top = element.getBoundingClientRect().top - box.top - GAP;
  const low = mark ? mark.getBoundingClientRect().bottom - box.top - box.height * 0.6 : 0;
  return Math.max(top, low);
}

/** Bring a mark into sight that lies at the side, in code or a table. */
function aside(mark: Range): void {
  const scroller = mark.startContainer.parentElement?.closest('pre, .table');
  if (!scroller) return;
  const [place, box] = [mark.getBoundingClientRect(), scroller.getBoundingClientRect()];
  if (place.right > box.right) scroller.scrollLeft += place.right - box.right + GAP;
  else if (place.left < box.left) scroller.scrollLeft -= box.left - place.left + GAP;
}

function focus(element: HTMLElement): void {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.addEventListener('blur', () => element.removeAttribute('tabindex'), { once: true });
}

function light(element: HTMLElement): void {
  element.classList.remove('lit');
  requestAnimationFrame(() => element.classList.add('lit'));
  element.addEventListener('animationend', () => element.classList.remove('lit'), { once: true });
}
