/** Whether a person's last act was one of the pointer: what gets the focus by it needs no frame to be found. */
let last = false;

addEventListener('pointerdown', () => (last = true), { capture: true, passive: true });
addEventListener('keydown', () => (last = false), { capture: true, passive: true });

/** Mark what has got the focus by the pointer, also when keys are pressed there later. */
export function markPointed({ target }: FocusEvent): void {
  if (target instanceof Element) target.toggleAttribute('data-pointed', last);
}
