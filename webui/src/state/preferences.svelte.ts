/** What a person prefers, kept in this browser for all chats. `src/theme-boot.js` sets the size of the text before the first paint. */

export type TextSize = 'small' | 'normal' | 'large';
/** What sends a message: Enter alone, or only with Ctrl (on a Mac, Cmd). */
export type SendKey = 'enter' | 'ctrl';

class Preferences {
  size = $state<TextSize>(sizeShown());
  sendKey = $state<SendKey>(read('send') === 'ctrl' ? 'ctrl' : 'enter');
  /** The system prompt of chats that are made from now on. */
  instructions = $state(read('instructions'));

  setSize(size: TextSize): void {
    this.size = size;
    if (size === 'normal') delete document.documentElement.dataset['text'];
    else document.documentElement.dataset['text'] = size;
    keep('text', size === 'normal' ? '' : size);
  }

  setSendKey(key: SendKey): void {
    this.sendKey = key;
    keep('send', key === 'enter' ? '' : key);
  }

  setInstructions(text: string): void {
    this.instructions = text;
    keep('instructions', text);
  }
}

function sizeShown(): TextSize {
  const size = document.documentElement.dataset['text'];
  return size === 'small' || size === 'large' ? size : 'normal';
}

function read(name: string): string {
  try {
    return localStorage.getItem(`luxx:${name}`) ?? '';
  } catch {
    return '';
  }
}

function keep(name: string, value: string): void {
  try {
    if (value) localStorage.setItem(`luxx:${name}`, value);
    else localStorage.removeItem(`luxx:${name}`);
  } catch {
    // It holds for this page.
  }
}

export const preferences = new Preferences();
