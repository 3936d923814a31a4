/** What a person prefers, kept in this browser for all chats. `src/theme-boot.js` sets the size of the text before the first paint. */
import { onStored, store, stored } from './storage';

export type TextSize = 'small' | 'normal' | 'large';
/** What sends a message: Enter alone, or only with Ctrl (on a Mac, Cmd). */
export type SendKey = 'enter' | 'ctrl';

class Preferences {
  size = $state<TextSize>(sizeNamed(document.documentElement.dataset['text']));
  sendKey = $state<SendKey>(stored('send') === 'ctrl' ? 'ctrl' : 'enter');
  /** The system prompt of chats that are made from now on. */
  instructions = $state(stored('instructions'));

  setSize(size: TextSize): void {
    this.show(size);
    store('text', size === 'normal' ? '' : size);
  }

  setSendKey(key: SendKey): void {
    this.sendKey = key;
    store('send', key === 'enter' ? '' : key);
  }

  setInstructions(text: string): void {
    this.instructions = text;
    store('instructions', text);
  }

  /** Follow what was chosen in another tab. */
  follow(name: string, text: string): void {
    if (name === 'text') this.show(sizeNamed(text));
    if (name === 'send') this.sendKey = text === 'ctrl' ? 'ctrl' : 'enter';
    if (name === 'instructions') this.instructions = text;
  }

  private show(size: TextSize): void {
    this.size = size;
    if (size === 'normal') delete document.documentElement.dataset['text'];
    else document.documentElement.dataset['text'] = size;
  }
}

function sizeNamed(size: string | undefined): TextSize {
  return size === 'small' || size === 'large' ? size : 'normal';
}

export const preferences = new Preferences();

onStored('', (name, text) => preferences.follow(name, text));
