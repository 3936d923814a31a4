/** The chosen language. `src/theme-boot.js` sets it on the page before the first paint. */
import { lazy } from '../markdown';
import { en } from '../text/en';
import { LOADERS } from '../text/languages';
import { shown, type Language } from '../text/shown.svelte';
import { store } from './storage';

const ENGLISH: Partial<Language> = { words: en };

class LanguageChoice {
  choice = $state(document.documentElement.lang);

  /** Load the words of the page, before anything is shown. If they cannot be had now, English stands until they come. */
  async start(): Promise<void> {
    const code = this.choice;
    try {
      this.show((await LOADERS[code]?.()) ?? ENGLISH);
    } catch {
      this.show(ENGLISH);
      void this.use(code);
    }
  }

  /** Switch to another language as soon as its words are there. */
  async choose(code: string): Promise<void> {
    this.choice = code;
    store('language', code);
    await this.use(code);
  }

  private async use(code: string): Promise<void> {
    const load = LOADERS[code];
    const language = load ? await lazy(load)() : ENGLISH;
    if (this.choice === code) this.show(language);
  }

  private show({ words = en, setup }: Partial<Language>): void {
    shown.words = words;
    shown.setup = setup;
    document.documentElement.lang = words.language;
    document.documentElement.dir = words.direction;
  }
}

export const language = new LanguageChoice();
