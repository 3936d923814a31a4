/** Completes the unfinished end of a text for display only, so that no half mark (`**`, `[text](htt`, `$$`) flashes up. */

/** A last line that is only marks can still become a list, a rule, a heading, a fence or an underline: it waits. */
const UNDECIDED_LINE =
  /(?:^|\n)[ \t]*(?:[-=*_+#>|`~$:\\ \t]+|\d{1,9}[.)]?|\[\^?[^\]\n]{0,40}\]?:?|[-*+] \[[ xX]?\]?)[ \t]*$/;
/** The beginning of a table whose delimiter row has not come yet. */
const HALF_TABLE = /(?:^|\n) {0,3}\|[^\n]*(?:\n {0,3}\|?[ \t:|-]*)?$/;
const WHOLE_DELIMITER = /\n {0,3}\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*:?-*:?[ \t]*\|?[ \t]*\n/;

/** More marks than anybody leaves open at once mean nothing. */
const MOST_OPEN = 10;

/** The last line of an open code block may become its end. */
const HALF_FENCE_END = /\n[ \t]*[`~]*[ \t]*$/;

/** Return what of `source`, an unfinished text, can be shown as it is meant so far. */
export function repair(source: string): string {
  if (insideFence(source)) return source.replace(HALF_FENCE_END, '');
  let text = source;
  const waiting = UNDECIDED_LINE.exec(text);
  if (waiting) text = text.slice(0, waiting.index);
  const start = inlineStart(text);
  const head = text.slice(0, start);
  const last = text.slice(start);
  const table = HALF_TABLE.exec(last);
  if (table && !WHOLE_DELIMITER.test(`${text}\n`)) return head + last.slice(0, table.index);
  return head + closeInline(last);
}

/** Whether the text ends within a fenced code block, at any depth of lists and quotes. */
function insideFence(text: string): boolean {
  let open: string | undefined;
  for (const [, fence = '', info = ''] of text.matchAll(
    /^(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(`{3,}|~{3,})(.*)$/gm,
  )) {
    if (open === undefined) open = fence;
    else if (fence.startsWith(open) && !info.trim()) open = undefined;
  }
  return open !== undefined;
}

/** Return where the last run of inline text begins: after the last blank line, or at the start of a line that begins a block. */
function inlineStart(text: string): number {
  const blank = Math.max(text.lastIndexOf('\n\n'), 0);
  const marks = /\n[ \t]*(?:[-*+]|\d{1,9}[.)]|#{1,6}|>+)[ \t]+|\n[ \t]*\|/g;
  marks.lastIndex = blank;
  let start = blank;
  for (let match = marks.exec(text); match; match = marks.exec(text))
    start = match.index + (match[0].endsWith('|') ? 0 : match[0].length);
  return start;
}

interface Opening {
  mark: string;
  at: number;
}

class InlineScan {
  private readonly open: Opening[] = [];
  private readonly brackets: number[] = [];
  private at = 0;

  constructor(private readonly text: string) {}

  /** Return the text with its open marks closed, or cut where an unfinished part begins that cannot be shown. */
  run(): string {
    while (this.at < this.text.length) {
      const cut = this.step();
      if (cut !== undefined) return this.close(cut);
    }
    const bracket = this.brackets[0];
    if (bracket === undefined) return this.close(this.text);
    if (this.text.charAt(bracket - 1) === '!') return this.close(this.text.slice(0, bracket - 1));
    return this.close(this.text.slice(0, bracket) + this.text.slice(bracket + 1));
  }

  private step(): string | undefined {
    const sign = this.text.charAt(this.at);
    switch (sign) {
      case '\\':
        return this.escape();
      case '`':
        return this.codeSpan();
      case '$':
        return this.dollar();
      case '[':
        return this.bracket();
      case ']':
        return this.afterBracket();
      case '*':
      case '_':
      case '~':
        return this.emphasis(sign);
      default:
        this.at += 1;
        return undefined;
    }
  }

  private escape(): string | undefined {
    const next = this.text.charAt(this.at + 1);
    if (next === '') return this.text.slice(0, this.at);
    const close = next === '(' ? '\\)' : next === '[' ? '\\]' : undefined;
    if (!close) {
      this.at += 2;
      return undefined;
    }
    return this.skipTo(close, this.at + 2);
  }

  private skipTo(close: string, from: number): string | undefined {
    const end = this.text.indexOf(close, from);
    if (end < 0) return this.text.slice(0, this.at);
    this.at = end + close.length;
    return undefined;
  }

  private codeSpan(): string | undefined {
    const ticks = /^`+/.exec(this.text.slice(this.at))?.[0] ?? '`';
    const from = this.at + ticks.length;
    const end = new RegExp(`(?<!\`)${ticks}(?!\`)`).exec(this.text.slice(from));
    if (end) {
      this.at = from + end.index + ticks.length;
      return undefined;
    }
    const body = this.text.slice(from).replace(/`+$/, '');
    return body.trim() ? this.text.slice(0, from) + body + ticks : this.text.slice(0, this.at);
  }

  private dollar(): string | undefined {
    if (this.text.startsWith('$$', this.at)) return this.skipTo('$$', this.at + 2);
    const rest = this.text.slice(this.at + 1);
    const end = /^(?![\s$])[^$\n]*[^\s$\\]\$/.exec(rest);
    if (end) {
      this.at += end[0].length + 1;
      return undefined;
    }
    if (/^(?:[a-zA-Z\\({][^$\n]{0,80})?$/.test(rest) && (!/\s/.test(rest) || /[\\^_{=]/.test(rest))) {
      return this.text.slice(0, this.at);
    }
    this.at += 1;
    return undefined;
  }

  private bracket(): undefined {
    this.brackets.push(this.at);
    this.at += 1;
  }

  private afterBracket(): string | undefined {
    const start = this.brackets.pop();
    this.at += 1;
    if (start === undefined) return undefined;
    const image = this.text.charAt(start - 1) === '!';
    const before = this.text.slice(0, image ? start - 1 : start);
    const label = image ? '' : this.text.slice(start + 1, this.at - 1);
    const rest = this.text.slice(this.at);
    if (rest === '') return before + label;
    if (!rest.startsWith('(')) return undefined;
    const end = closingParenthesis(rest);
    if (end < 0) return /^\([^\s]*(?:\s+["'(][^"')]*["')]?)?$/.test(rest) ? before + label : undefined;
    this.at += end + 1;
    return undefined;
  }

  private emphasis(sign: string): string | undefined {
    const run = /^(?:\*+|_+|~+)/.exec(this.text.slice(this.at))?.[0] ?? sign;
    const before = this.text.charAt(this.at - 1);
    const after = this.text.charAt(this.at + run.length);
    const from = this.at;
    this.at += run.length;
    const opens = after !== '' && !/\s/.test(after) && (sign === '*' || !/\w/.test(before));
    const closes = before !== '' && !/\s/.test(before) && (sign === '*' || !/\w/.test(after));
    if (closes && this.closeOne(run)) return undefined;
    if (after === '' && (before === '' || /[\s(]/.test(before) || run.length > 1)) return this.text.slice(0, from);
    if (opens && (sign !== '~' || run.length === 2)) this.open.push({ mark: run.slice(0, 3), at: from });
    return undefined;
  }

  /** Close the innermost opening of this sign; a run that is not complete yet (`**bold*`) counts as its close. */
  private closeOne(run: string): boolean {
    const index = this.open.findLastIndex((opening) => opening.mark.charAt(0) === run.charAt(0));
    const opening = this.open[index];
    if (!opening) return false;
    if (run.length < opening.mark.length && this.at < this.text.length) {
      if (opening.mark.length !== 3) return false;
      opening.mark = opening.mark.slice(run.length);
      return true;
    }
    if (run.length >= opening.mark.length) this.open.splice(index);
    else this.unfinished = run.length;
    return true;
  }

  private unfinished = 0;

  private close(text: string): string {
    const inside = this.open.filter((opening) => opening.at < text.length);
    if (!inside.length || inside.length > MOST_OPEN) return text;
    const trimmed = text.slice(0, text.length - (text === this.text ? this.unfinished : 0)).trimEnd();
    const marks = inside.map((opening) => opening.mark).reverse();
    const last = inside.at(-1);
    if (last && trimmed.length <= last.at + last.mark.length) return trimmed.slice(0, last.at);
    return trimmed + marks.join('');
  }
}

function closingParenthesis(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const sign = text.charAt(i);
    if (sign === '\\') i += 1;
    else if (sign === '(') depth += 1;
    else if (sign === ')' && --depth === 0) return i;
    else if (sign === '\n') return -1;
  }
  return -1;
}

function closeInline(text: string): string {
  const whole = text.replace(/<b?r?[ \t]*\/?$|(?<=^|\s)!$/i, '');
  return new InlineScan(whole).run();
}
