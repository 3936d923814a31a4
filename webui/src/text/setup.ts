/** What the settings say, in the language of the page. */
import { enSetup, type SetupCatalogue } from './en-setup';
import { shown } from './shown.svelte';

export const s: SetupCatalogue = new Proxy(enSetup, {
  get: (_, part) => Reflect.get(shown.setup ?? enSetup, part) as unknown,
});
