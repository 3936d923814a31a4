/** The chosen theme. `src/theme-boot.js` applies it before the first paint. */
import { store } from './storage';

export type ThemeChoice = 'system' | 'light' | 'dark';

function stored(): ThemeChoice {
  const value = document.documentElement.dataset['theme'];
  return value === 'light' || value === 'dark' ? value : 'system';
}

class Theme {
  choice = $state<ThemeChoice>(stored());

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    const root = document.documentElement;
    if (choice === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = choice;
    for (const frame of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
      const { of } = frame.dataset;
      if (choice === 'system') frame.media = `(prefers-color-scheme: ${of})`;
      else frame.media = of === choice ? 'all' : 'not all';
    }
    store('theme', choice === 'system' ? '' : choice);
  }
}

export const theme = new Theme();
