/** Lexing of markdown, whole or of an unfinished tail, with link definitions kept by the caller. */
import { Lexer, type Links, type Token } from 'marked';
import { lexerOptions } from './extensions';

const options = lexerOptions();

class TailLexer extends Lexer {
  private depth = 0;

  constructor(private readonly open: boolean) {
    super(options);
  }

  /** Whether the block that is read now may still be continued by text that has not come yet. */
  get mayGrow(): boolean {
    return this.open && this.depth === 1;
  }

  override blockTokens(...args: [string, Token[]?, boolean?]): never {
    this.depth += 1;
    try {
      return super.blockTokens(...args) as never;
    } finally {
      this.depth -= 1;
    }
  }
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
