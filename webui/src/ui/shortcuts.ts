/** The page's keyboard shortcuts. Alt with a letter, by the place of the key, so that no browser's own is taken. */

export type Shortcut = 'newChat' | 'search' | 'sidebar' | 'composer' | 'waiting' | 'copyLast' | 'shortcuts' | 'stop';

const ALT: Record<string, Shortcut> = {
  KeyN: 'newChat',
  KeyS: 'search',
  KeyB: 'sidebar',
  KeyM: 'composer',
  KeyW: 'waiting',
  KeyC: 'copyLast',
};

export function shortcutFor(event: KeyboardEvent, running: boolean): Shortcut | undefined {
  if (event.isComposing) return undefined;
  if (event.key === 'Escape') return running ? 'stop' : undefined;
  if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) return ALT[event.code];
  return event.key === '?' && !isTyping(event.target) ? 'shortcuts' : undefined;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}
