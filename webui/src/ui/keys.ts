/** What keys mean in a field for text. */
import { preferences } from '../state/preferences.svelte';

/** Whether a word is being composed, by the events that say so: `isComposing` of a key event can be stale. */
let composing = false;
addEventListener('compositionstart', () => (composing = true), { capture: true });
addEventListener('compositionend', () => (composing = false), { capture: true });

/** Safari ends a composition before the Enter that chose the word; that Enter still has this code. */
const COMPOSING_KEY_CODE = 229;

/** Whether the key sends: Enter, alone if a person wants it so, not while a word is being composed, and not alone on a touch keyboard. */
export function isSendKey(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || event.shiftKey || event.altKey) return false;
  if (composing || event.keyCode === COMPOSING_KEY_CODE) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return preferences.sendKey === 'enter' && !matchMedia('(pointer: coarse) and (hover: none)').matches;
}
