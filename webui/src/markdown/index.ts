/** The markdown renderer: free of any framework, for text that is whole and for text that is still being written. */
export type { Labels } from './html';
export { lazy, PART_MISSING } from './lazy';
export { frames } from './schedule';
export { MarkdownStream } from './stream';
