/** What a person prefers, kept in this browser for all chats. `src/theme-boot.js` sets the size of the text before the first paint. */
import { keep, recall, storedAs } from './kept';

export type TextSize = 'small' | 'normal' | 'large';
/** What sends a message: Enter alone, or only with Ctrl (on a Mac, Cmd). */
export type SendKey = 'enter' | 'ctrl';

class Preferences {
  size = $state<TextSize>(sizeNamed(document.documentElement.dataset['text']));
  sendKey = $state<SendKey>(recall('send') === 'ctrl' ? 'ctrl' : 'enter');
  /** The system prompt of chats that are made from now on. */
  instructions = $state(recall('instructions'));

  setSize(size: TextSize): void {
    this.show(size);
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

  /** Follow what was chosen in another tab. */
  follow({ key, newValue }: StorageEvent): void {
    if (key === storedAs('text')) this.show(sizeNamed(newValue ?? undefined));
    if (key === storedAs('send')) this.sendKey = newValue === 'ctrl' ? 'ctrl' : 'enter';
    if (key === storedAs('instructions')) this.instructions = newValue ?? '';
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

addEventListener('storage', (event) => preferences.follow(event));
