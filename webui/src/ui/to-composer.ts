/** Give the focus to where messages are written, but not where that brings up a keyboard on the screen. Nothing is scrolled for it. */
export function toComposer(): void {
  if (matchMedia('(hover: none)').matches) return;
  document.getElementById('composer')?.focus({ preventScroll: true });
}
