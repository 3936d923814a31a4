/** Bringing a message into sight to which a link has led. */

/** What is above may take its size a little later; until then the message is held where it is. */
const HOLD_MS = 700;
/** How far from the upper edge it stands, in pixels. */
const GAP = 48;
const MOVES = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

/** Scroll the area to the element with `shift`, light it for a moment and give it the focus. */
export function reveal(area: HTMLElement, element: HTMLElement, shift: (by: number) => void): void {
  const ending = new AbortController();
  for (const name of MOVES) area.addEventListener(name, () => ending.abort(), { passive: true, signal: ending.signal });
  const began = performance.now();
  const hold = () => {
    if (ending.signal.aborted || !element.isConnected) return;
    shift(Math.round(element.getBoundingClientRect().top - area.getBoundingClientRect().top - GAP));
    if (performance.now() - began < HOLD_MS) requestAnimationFrame(hold);
    else ending.abort();
  };
  hold();
  light(element);
}

function light(element: HTMLElement): void {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.classList.remove('lit');
  requestAnimationFrame(() => element.classList.add('lit'));
  element.addEventListener('blur', () => element.removeAttribute('tabindex'), { once: true });
  element.addEventListener('animationend', () => element.classList.remove('lit'), { once: true });
}
