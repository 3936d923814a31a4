/** The page's words in the language that is shown. */
import { en, type Catalogue } from './en';

export const t: Catalogue = en;
