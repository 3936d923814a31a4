/** What keys mean in a field for text. */

/** Whether a word is being composed, by the events that say so: `isComposing` of a key event can be stale. */
let composing = false;
addEventListener('compositionstart', () => (composing = true), { capture: true });
addEventListener('compositionend', () => (composing = false), { capture: true });

/** Safari ends a composition before the Enter that chose the word; that Enter still has this code. */
const COMPOSING_KEY_CODE = 229;

/** Whether the key sends: Enter alone, not while a word is being composed, and not on a touch keyboard. */
export function isSendKey(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || event.shiftKey || event.altKey) return false;
  if (composing || event.keyCode === COMPOSING_KEY_CODE) return false;
  return event.ctrlKey || event.metaKey || !matchMedia('(pointer: coarse) and (hover: none)').matches;
}
