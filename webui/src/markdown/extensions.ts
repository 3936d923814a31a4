/** What the markdown of language models has beyond GFM: mathematics, footnotes, `<br>`; and no raw HTML. */
import { Marked, type MarkedOptions, type TokenizerExtension, type Tokens } from 'marked';

export interface MathToken extends Tokens.Generic {
  type: 'math' | 'inlineMath';
  tex: string;
  display: boolean;
}

/** A display formula that has begun and may still be closed; only while text is still coming. */
export interface MathPending extends Tokens.Generic {
  type: 'mathPending';
}

export interface FootnoteRef extends Tokens.Generic {
  type: 'footnoteRef';
  label: string;
}

export interface FootnoteDef extends Tokens.Generic {
  type: 'footnoteDef';
  label: string;
}

const BLOCK_OPEN = /^ {0,3}(\$\$|\\\[)/;
const BLANK_LINE = /\n[ \t]*\n/;
const NEXT_OPEN = /\n {0,3}(?:\$\$|\\\[)/;

/** A lexer of text that is still being written. */
interface GrowingLexer {
  readonly mayGrow?: boolean;
}

/**
 * A formula in a paragraph of its own: `$$ … $$` or `\[ … \]`, over any number of lines but no blank one. That limit makes
 * the meaning of an opening sign independent of text that comes much later.
 */
const blockMath: TokenizerExtension = {
  name: 'math',
  level: 'block',
  start(src) {
    const end = src.search(BLANK_LINE);
    const match = NEXT_OPEN.exec(end < 0 ? src : src.slice(0, end));
    return match ? match.index + 1 : undefined;
  },
  tokenizer(src) {
    const opening = BLOCK_OPEN.exec(src);
    if (!opening) return undefined;
    const close = opening[1] === '$$' ? '$$' : '\\]';
    const blank = src.search(BLANK_LINE);
    const paragraph = blank < 0 ? src : src.slice(0, blank);
    const from = opening[0].length;
    const to = paragraph.indexOf(close, from);
    if (to < 0) {
      const pending = blank < 0 && (this.lexer as GrowingLexer).mayGrow;
      return pending ? { type: 'mathPending', raw: src } : undefined;
    }
    const rest = /^[ \t]*(?:\n|$)/.exec(src.slice(to + close.length));
    const tex = src.slice(from, to).trim();
    if (!rest || !tex) return undefined;
    return { type: 'math', raw: src.slice(0, to + close.length + rest[0].length), tex, display: true };
  },
};

const INLINE_MATH: [RegExp, boolean][] = [
  [/^\$\$((?:\\[\s\S]|[^\\$])+)\$\$/, true],
  [/^\\\[([\s\S]+?)\\\]/, true],
  [/^\\\(([\s\S]+?)\\\)/, false],
  // Pandoc's guard, so that "$5 and $6" stays text: no space inside the signs, no digit after the closing one.
  [/^\$(?![\s$])((?:\\[^\n]|[^\\\n$])*(?:\\[^\n]|[^\\\n$\s]))\$(?![\w$])/, false],
];

const inlineMath: TokenizerExtension = {
  name: 'inlineMath',
  level: 'inline',
  // Of what a formula begins with, only `$` does not end a text by itself. To look no further than where the text ends keeps this linear.
  start(src) {
    const index = src.search(/[$\\<![`*~_]/);
    return src.charAt(index) === '$' ? index : undefined;
  },
  tokenizer(src, tokens) {
    if (!/^(?:\$|\\[([])/.test(src)) return undefined;
    if (src.startsWith('$') && /[\w$\\]$/.test(tokens.at(-1)?.raw ?? '')) return undefined;
    for (const [pattern, display] of INLINE_MATH) {
      const match = pattern.exec(src);
      if (match?.[1]?.trim()) return { type: 'inlineMath', raw: match[0], tex: match[1].trim(), display };
    }
    return undefined;
  },
};

const footnoteRef: TokenizerExtension = {
  name: 'footnoteRef',
  level: 'inline',
  tokenizer(src) {
    const match = /^\[\^([^\]\s[]{1,40})\]/.exec(src);
    return match ? { type: 'footnoteRef', raw: match[0], label: match[1] ?? '' } : undefined;
  },
};

/** A note, and the lines after it but those that begin something else, as in a paragraph; another definition is one of them. */
const FOOTNOTE_DEF =
  /^ {0,3}\[\^([^\]\s[]{1,40})\]:[ \t]+([^\n]+(?:\n(?![ \t]*(?:\n|$)| {0,3}(?:\[\^|\[[^\]\n]+\]:|>|`{3}|~{3}|#{1,6}[ \t]|[-*+][ \t]|\d{1,9}[.)][ \t]))[^\n]+)*)/;

const footnoteDef: TokenizerExtension = {
  name: 'footnoteDef',
  level: 'block',
  tokenizer(src) {
    const match = FOOTNOTE_DEF.exec(src);
    if (!match) return undefined;
    const tokens: Tokens.Generic[] = [];
    this.lexer.inline(match[2] ?? '', tokens);
    return { type: 'footnoteDef', raw: match[0], label: match[1] ?? '', tokens };
  },
};

const lineBreakTag: TokenizerExtension = {
  name: 'lineBreakTag',
  level: 'inline',
  tokenizer(src) {
    const match = /^<br[ \t]*\/?>/i.exec(src);
    return match ? { type: 'br', raw: match[0] } : undefined;
  },
};

/** Options for marked's lexer. Raw HTML has no tokens of its own, so it ends up as text. */
export function lexerOptions(): MarkedOptions {
  const marked = new Marked({ gfm: true, breaks: false });
  marked.use({
    tokenizer: { html: () => undefined, tag: () => undefined },
    extensions: [blockMath, footnoteDef, inlineMath, footnoteRef, lineBreakTag],
  });
  return marked.defaults;
}
