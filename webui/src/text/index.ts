/** The page's words in the language that is shown. What reads them in a template or an effect follows a switch. */
import { en, type Catalogue } from './en';
import { shown } from './shown.svelte';

export const t: Catalogue = new Proxy(en, { get: (_, part) => Reflect.get(shown.words, part) as unknown });
