/** The page's keyboard shortcuts: none is a browser's own, and none types a sign on any keyboard. */

export type Shortcut =
  'newChat' | 'search' | 'sidebar' | 'composer' | 'answer' | 'waiting' | 'copyLast' | 'shortcuts' | 'stop';

/** By what is written on the key. */
export const LETTERS: Record<string, Shortcut> = {
  n: 'newChat',
  s: 'search',
  b: 'sidebar',
  m: 'composer',
  a: 'answer',
  w: 'waiting',
  c: 'copyLast',
};

/** Where Option with a letter types a sign; Control and Shift are held there, which browsers and VoiceOver leave free. */
export const APPLE = /^(?:Mac|iP)/.test(navigator.platform);

/** Set to `off` by who does not want a key to do something without another one held, as with speech input. */
const QUESTION_MARK = 'luxx:question-mark';

export function shortcutFor(event: KeyboardEvent, running: boolean): Shortcut | undefined {
  if (event.isComposing) return undefined;
  if (event.key === 'Escape') return running ? 'stop' : undefined;
  if (isHeld(event)) return LETTERS[letterOf(event)];
  const alone = !event.ctrlKey && !event.metaKey && !isTyping(event.target);
  return event.key === '?' && alone && questionMark.isOn() ? 'shortcuts' : undefined;
}

/** Return what to press, as one writes it on this machine. */
export function keysOf(shortcut: Shortcut): string {
  const letter = Object.keys(LETTERS).find((one) => LETTERS[one] === shortcut) ?? '';
  return here(`Alt ${letter.toUpperCase()}`);
}

/** Return keys as they are named on this machine. */
export function here(keys: string): string {
  return APPLE ? keys.replace(/^Alt /, 'Ctrl Shift ').replace(/^(?:Ctrl|Strg) Z/, 'Cmd Z') : keys;
}

export const questionMark = {
  isOn(): boolean {
    try {
      return localStorage.getItem(QUESTION_MARK) !== 'off';
    } catch {
      return true;
    }
  },
  set(on: boolean): void {
    try {
      if (on) localStorage.removeItem(QUESTION_MARK);
      else localStorage.setItem(QUESTION_MARK, 'off');
    } catch {
      // Storage may be closed: the key stays on.
    }
  },
};

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

function isHeld(event: KeyboardEvent): boolean {
  const { altKey, ctrlKey, metaKey, shiftKey } = event;
  if (metaKey || event.getModifierState('AltGraph')) return false;
  return APPLE ? ctrlKey && shiftKey && !altKey : altKey && !ctrlKey && !shiftKey;
}

/** Return the letter on the key; on a keyboard whose letters are not Latin, the one that others have in its place. */
function letterOf({ key, code }: KeyboardEvent): string {
  return /^[!-~]$/.test(key) ? key.toLowerCase() : code.replace(/^Key/, '').toLowerCase();
}
