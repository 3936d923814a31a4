/** The words of the language that is shown. Set by `state/language.svelte.ts` only. */
import { en, type Catalogue } from './en';
import type { SetupCatalogue } from './en-setup';

/** A language: a module with both of its catalogues, loaded when it is chosen. English is always there. */
export interface Language {
  words: Catalogue;
  setup: SetupCatalogue;
}

class Shown {
  words = $state.raw<Catalogue>(en);
  /** Undefined for English, whose settings are loaded with the dialogs. */
  setup = $state.raw<SetupCatalogue | undefined>();
}

export const shown = new Shown();
