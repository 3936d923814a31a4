/** What keys mean in a field for text. */

/** Safari ends a composition before the Enter that chose the word; that Enter still has this code. */
const COMPOSING_KEY_CODE = 229;

/** Whether the key sends: Enter alone, not while a word is being composed, and not on a touch keyboard. */
export function isSendKey(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || event.shiftKey || event.altKey) return false;
  if (event.isComposing || event.keyCode === COMPOSING_KEY_CODE) return false;
  return event.ctrlKey || event.metaKey || !matchMedia('(pointer: coarse) and (hover: none)').matches;
}
