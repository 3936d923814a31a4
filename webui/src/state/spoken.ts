/** An answer as it is read out once it is there: its words, without marks and code. A long one is only begun. */

/** About half a minute of speech, which cannot be paused or gone through; the rest is read in the answer itself. */
const MOST = 500;
/** So much markdown is looked at to find them. */
const WINDOW = 8 * MOST;

export function spoken(markdown: string): string {
  const plain = markdown
    .slice(0, WINDOW)
    .replace(/^ *(`{3,}|~{3,})[^]*?(?:^ *\1|$(?![^]))/gm, ' … ')
    .replace(/!?\[([^\][]*)\]\((?:[^()\n]|\([^()\n]*\))*\)/g, '$1')
    .replace(/\\[()[\]]/g, ' ')
    .replace(/^[\s>#|:*+-]+|[*_`~|$]+/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (plain.length <= MOST && markdown.length <= WINDOW) return plain;
  const begun = plain.slice(0, MOST);
  const sentences = /^[^]*(?:[.!?…](?=\s)|[。！？])/.exec(begun)?.[0];
  return `${sentences ?? begun} …`;
}
