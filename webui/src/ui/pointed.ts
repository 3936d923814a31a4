/** What a person's last act was: what gets the focus by the pointer or by itself needs no frame to be found. */
let last: 'pointer' | 'Tab' | undefined;

addEventListener('pointerdown', () => (last = 'pointer'), { capture: true, passive: true });
addEventListener('keydown', ({ key }) => (last = key === 'Tab' ? key : undefined), { capture: true, passive: true });

/** Mark what has got the focus by the pointer, also when keys are pressed there later. */
export function markPointed({ target }: FocusEvent): void {
  if (target instanceof Element) target.toggleAttribute('data-pointed', last === 'pointer');
}

/** Mark what has got the focus by Tab: a person goes from one to the next and has to see where that is. */
export function markTabbed({ target }: FocusEvent): void {
  if (target instanceof Element) target.toggleAttribute('data-tabbed', last === 'Tab');
}
