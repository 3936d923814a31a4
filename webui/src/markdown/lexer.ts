/** Lexing of markdown, whole or of an unfinished tail, with link definitions kept by the caller. */
import { Lexer, type Links, type Token } from 'marked';
import { lexerOptions } from './extensions';

const options = lexerOptions();
/** Deeper than anybody writes; what is nested deeper (a model that repeats itself, a hostile text) is shown as it stands. */
const DEEPEST = 40;
/** What is written in a row, in characters, is read in parts of at most this: marks are looked for over all of it, again and again. */
const LONGEST_INLINE = 8_000;

class TailLexer extends Lexer {
  private depth = 0;
  private inlineDepth = 0;

  constructor(private readonly open: boolean) {
    super(options);
  }

  /** Whether the block that is read now may still be continued by text that has not come yet. */
  get mayGrow(): boolean {
    return this.open && this.depth === 1;
  }

  override blockTokens(...args: [string, Token[]?, boolean?]): never {
    if (this.depth === DEEPEST) return asText('paragraph', args[0], args[1]) as never;
    this.depth += 1;
    try {
      return super.blockTokens(...args) as never;
    } finally {
      this.depth -= 1;
    }
  }

  override inlineTokens(source: string, tokens?: Token[]): Token[] {
    if (this.inlineDepth === DEEPEST) return asText('text', source, tokens);
    this.inlineDepth += 1;
    try {
      return parts(source).reduce((read, part) => super.inlineTokens(part, read), tokens ?? []);
    } finally {
      this.inlineDepth -= 1;
    }
  }
}

/** Cut what is too long between words; where the cuts are does not depend on what comes later. */
function parts(source: string): string[] {
  const found: string[] = [];
  let rest = source;
  while (rest.length > LONGEST_INLINE) {
    const space = rest.slice(0, LONGEST_INLINE).search(/\s\S*$/);
    const end = space > 0 ? space : LONGEST_INLINE;
    found.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...found, rest];
}

function asText(type: 'paragraph' | 'text', source: string, tokens: Token[] = []): Token[] {
  const text: Token = { type: 'text', raw: source, text: source, escaped: false };
  tokens.push(type === 'text' ? text : { type, raw: source, text: source, tokens: [text] });
  return tokens;
}

export interface Lexed {
  tokens: Token[];
  /** All link definitions: those given and those found. */
  links: Links;
  /** Labels that were looked up in vain. */
  misses: Set<string>;
}

/** Return the block tokens of `source`. With `open`, a display formula without its end is one pending token. */
export function lex(source: string, links: Links, open: boolean): Lexed {
  const lexer = new TailLexer(open);
  const known: Links = Object.assign(Object.create(null) as Links, links);
  const misses = new Set<string>();
  lexer.tokens.links = new Proxy(known, {
    get(target, label: string) {
      if (!(label in target)) misses.add(label);
      return target[label];
    },
  });
  const tokens = [...lexer.lex(source)];
  for (const label of Object.keys(known)) misses.delete(label);
  return { tokens, links: known, misses };
}
