/** The page's keyboard shortcuts: none takes from a browser what a page should leave to it, and none types a sign where one writes. */
import { store, stored } from '../state/storage';

export type Shortcut =
  | 'newChat'
  | 'above'
  | 'below'
  | 'search'
  | 'sidebar'
  | 'composer'
  | 'answer'
  | 'editLast'
  | 'waiting'
  | 'copyLast'
  | 'shortcuts'
  | 'stop';

/** By what is written on the key. Screen readers have the arrows with Alt, and Japanese input on a Mac J and K. */
export const LETTERS: Record<string, Shortcut> = {
  n: 'newChat',
  u: 'above',
  i: 'below',
  s: 'search',
  b: 'sidebar',
  m: 'composer',
  a: 'answer',
  w: 'waiting',
  c: 'copyLast',
};

/** Those that are pressed alone, outside of fields. */
const SIGNS: Record<string, Shortcut> = { '/': 'composer', '?': 'shortcuts' };

/** Where Option with a letter types a sign; Control and Shift are held there, which browsers and VoiceOver leave free. */
export const APPLE = /^(?:Mac|iP)/.test(navigator.platform);

/** Set to `off` by who does not want a sign to do something without another key held, as with speech input. */
const QUESTION_MARK = 'question-mark';

export function shortcutFor(event: KeyboardEvent, running: boolean): Shortcut | undefined {
  if (event.isComposing) return undefined;
  if (event.key === 'Escape') return running ? 'stop' : undefined;
  if (isHeld(event)) return LETTERS[letterOf(event)];
  const { altKey, ctrlKey, metaKey, shiftKey, target } = event;
  const [main, other] = APPLE ? [metaKey, ctrlKey] : [ctrlKey, metaKey];
  if (main) return letterOf(event) === 'k' && !other && !altKey && !shiftKey ? 'search' : undefined;
  if (other) return undefined;
  if (!isTyping(target)) return questionMark.isOn() ? SIGNS[event.key] : undefined;
  const isUp = event.key === 'ArrowUp' && !altKey && !shiftKey;
  return isUp && target instanceof HTMLTextAreaElement && target.matches('#composer:placeholder-shown')
    ? 'editLast'
    : undefined;
}

/** Return what to press, as one writes it on this machine. */
export function keysOf(shortcut: Shortcut): string {
  const letter = Object.keys(LETTERS).find((one) => LETTERS[one] === shortcut) ?? '';
  return here(`Alt ${letter.toUpperCase()}`);
}

/** Return keys as they are named on this machine. */
export function here(keys: string): string {
  return APPLE ? keys.replace(/^(?:Ctrl|Strg) /, 'Cmd ').replace(/^Alt /, 'Ctrl Shift ') : keys;
}

export const questionMark = {
  isOn(): boolean {
    return stored(QUESTION_MARK) !== 'off';
  },
  set(on: boolean): void {
    store(QUESTION_MARK, on ? '' : 'off');
  },
};

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

/** Whether the keys are those that have the browser print. */
export function isPrintKey(event: KeyboardEvent): boolean {
  const held = APPLE ? event.metaKey : event.ctrlKey;
  return held && !event.altKey && !event.shiftKey && letterOf(event) === 'p';
}

function isHeld(event: KeyboardEvent): boolean {
  const { altKey, ctrlKey, metaKey, shiftKey } = event;
  if (metaKey || event.getModifierState('AltGraph')) return false;
  return APPLE ? ctrlKey && shiftKey && !altKey : altKey && !ctrlKey && !shiftKey;
}

/** Return the letter on the key; on a keyboard whose letters are not Latin, the one that others have in its place. */
export function letterOf({ key, code }: KeyboardEvent): string {
  return /^[!-~]$/.test(key) ? key.toLowerCase() : code.replace(/^Key/, '').toLowerCase();
}
