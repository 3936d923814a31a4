/** A fenced code block that is still open: its text is appended as it comes, and looked at line by line for the end only. */
import { isLong } from './html';
import { lex } from './lexer';
import type { Tokens } from 'marked';

/** Return the opening line's sign run if `raw` is a fence without its end; not for indented ones, whose text is changed. */
export function openFence(raw: string): string | undefined {
  const opening = /^(`{3,}|~{3,})[^\n]*\n/.exec(raw);
  const mark = opening?.[1];
  if (!opening || !mark) return undefined;
  return raw
    .slice(opening[0].length)
    .split('\n')
    .some((line) => closes(line, mark))
    ? undefined
    : mark;
}

function closes(line: string, mark: string): boolean {
  const match = /^ {0,3}(`+|~+) *$/.exec(line);
  return !!match?.[1]?.startsWith(mark);
}

export class Fence {
  private readonly text: Text;
  private raw: string;
  private partial = '';
  private shownOfPartial = 0;
  private lines = 0;

  /** Take over `element`, a rendered code block that is empty, whose source so far is its opening line. */
  constructor(
    readonly element: Element,
    private readonly mark: string,
    openingLine: string,
  ) {
    this.raw = openingLine;
    const code = element.querySelector('pre > code');
    this.text = document.createTextNode('');
    code?.replaceChildren(this.text);
  }

  /** Append source. Return what comes after the block's end, or undefined while it is open. */
  append(source: string): string | undefined {
    let rest = this.partial + source;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      this.raw += `${line}\n`;
      if (closes(line, this.mark)) {
        this.finish();
        return rest;
      }
      this.show(line);
      this.shownOfPartial = 0;
      this.lines += 1;
    }
    this.partial = rest;
    if (!/^ {0,3}[`~]* *$/.test(rest)) this.show(rest);
    return undefined;
  }

  /** Show a line, or the part of it that is there. The line break before it is shown with it. */
  private show(line: string): void {
    const before = this.shownOfPartial === 0 && this.lines > 0 ? '\n' : '';
    const more = before + line.slice(this.shownOfPartial);
    if (more) this.text.appendData(more);
    this.shownOfPartial = line.length;
  }

  /** End the block, with its last line too if there is one, and set the text to exactly what the lexer reads. */
  finish(last = ''): void {
    this.raw += last;
    const token = lex(this.raw, {}, false).tokens[0] as Tokens.Code | undefined;
    const text = token?.text ?? '';
    if (this.text.data !== text) this.text.data = text;
    if (isLong(text)) this.element.classList.add('long');
  }

  /** The last line so far, without its end. */
  get unfinishedLine(): string {
    return this.partial;
  }
}
