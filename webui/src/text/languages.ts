/** The languages of the page beside English. `src/theme-boot.js` chooses one before the first paint. */
import type { Language } from './shown.svelte';

/** By their tags; loaded when chosen. The last two are English in disguise, for tests: they stand in no menu. */
export const LOADERS: Record<string, () => Promise<Language>> = {
  de: () => import('./de'),
  'zh-Hans': () => import('./zh'),
  'en-XA': async () => (await import('./pseudo')).longer,
  'en-XB': async () => (await import('./pseudo')).mirrored,
};
