/**
 * The markdown renderer: free of any framework, for text that is whole and for text that is still being written. The renderer itself
 * is had from `./stream`, since the part of the page that shows no conversation does without it.
 */
export type { Labels } from './html';
export { lazy } from './lazy';
export { frames } from './schedule';
