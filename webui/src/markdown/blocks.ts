/** Decides which blocks at the beginning of an unfinished text are final: no text that may still come can change them. */
import type { Token, Tokens } from 'marked';
import { openFence } from './fence';

/**
 * Return how many of the tokens are final, if the text they come from ends with a whole line.
 *
 * A block is final once a later one has begun. Only a display formula without its end is no beginning: it may turn out to be text
 * that belongs to the paragraph before it.
 */
export function countFinal(tokens: Token[]): number {
  let last = lastBlock(tokens, tokens.length);
  const token = tokens[last];
  if (token && endsItself(token)) return last + 1;
  if (token?.type === 'mathPending') last = lastBlock(tokens, last);
  return Math.max(last, 0);
}

/** Whether a block has an end of its own, so that nothing after it can belong to it. */
function endsItself(token: Token): boolean {
  if (token.type === 'code')
    return (token as Tokens.Code).codeBlockStyle === undefined && /^[`~]/.test(token.raw) && !openFence(token.raw);
  return token.type === 'heading' || token.type === 'hr' || token.type === 'math';
}

function lastBlock(tokens: Token[], before: number): number {
  for (let i = before - 1; i >= 0; i--) if (tokens[i]?.type !== 'space') return i;
  return -1;
}

/** The kind of list that an item's source begins: its bullet, or the sign after its number. */
export function bulletOf(raw: string): string {
  return /^ {0,3}(?:\d{1,9}([.)])|([-*+]))/.exec(raw)?.slice(1).find(Boolean) ?? '';
}

/** Return the source of a list's items before the one at `index`. */
export function itemsSource(list: Tokens.List, index: number): string {
  return list.items
    .slice(0, index)
    .map((item) => item.raw)
    .join('');
}
