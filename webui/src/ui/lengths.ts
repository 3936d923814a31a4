/** How long texts are, as the server counts them: in characters, where a string counts many of them twice. */

const PAIR = /[\uD800-\uDBFF][\uDC00-\uDFFF]/g;

/** Return how many characters a text has; 0 if they are fewer than `least`, which are most texts and need no counting. */
export function lengthOf(text: string, least: number): number {
  if (text.length < least) return 0;
  const length = text.length - (text.match(PAIR)?.length ?? 0);
  return length < least ? 0 : length;
}

/** Return how many characters a text has, from the point on where it comes near the limit; 0 before that. */
export function lengthNear(text: string, limit: number): number {
  return lengthOf(text, limit * 0.9);
}
