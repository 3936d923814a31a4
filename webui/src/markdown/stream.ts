/**
 * Renders markdown that is still being written.
 *
 * Only the unfinished tail is lexed again when text comes; blocks, list items, table rows and code lines that can no longer change
 * are never touched. When all text is there, the DOM equals that of the text rendered at once.
 */
import type { Links, Token, Tokens } from 'marked';
import { bulletOf, countFinal, itemsSource } from './blocks';
import { colourCode, drawMath } from './enhance';
import { Fence, openFence } from './fence';
import { HtmlRenderer, isLoose, type Labels } from './html';
import { LateLinks } from './late-links';
import { lex, type Lexed } from './lexer';
import { repair } from './repair';
import { toElements } from './sanitize';
import { frames } from './schedule';
import { replaceFrom, Sections } from './sections';

/** A list whose items so far are final but for the last one. */
interface OpenList {
  kind: 'list';
  element: Element;
  bullet: string;
  loose: boolean;
  /** How many items at its beginning are final. */
  count: number;
}

/** A table whose rows so far are final but for the last one. `head` is the source of its header and delimiter rows. */
interface OpenTable {
  kind: 'table';
  element: Element;
  head: string;
  count: number;
}

export class MarkdownStream {
  private readonly renderer: HtmlRenderer;
  private readonly sections: Sections;
  private readonly work = () => this.flush();
  /** Source that is not final. */
  private tail = '';
  private incoming: string[] = [];
  private endsWithReturn = false;
  /** How many blocks are final, not counting an open list, table or code block. */
  private settled = 0;
  private open: OpenList | OpenTable | undefined;
  private fence: Fence | undefined;
  /** The whole lines of the tail that were looked at last: nothing in them is final. */
  private examined = '';
  private readonly late = new LateLinks((element) => this.enhance(element));
  private finished = false;
  private pending: Promise<unknown> = Promise.resolve();

  constructor(host: Element, labels: Labels) {
    this.sections = new Sections(host);
    this.renderer = new HtmlRenderer(labels);
  }

  /** Whether no more text is taken. */
  get ended(): boolean {
    return this.finished;
  }

  /** Take more text; it is shown with the next frame. */
  append(text: string): void {
    if (this.finished || !text) return;
    this.incoming.push(text);
    frames.request(this.work);
  }

  /** There is no more text: show everything as it is meant, now. */
  finish(): void {
    if (this.finished) return;
    this.finished = true;
    frames.drop(this.work);
    this.flush();
  }

  /** Stop without showing what has come since the last frame. */
  destroy(): void {
    this.finished = true;
    frames.drop(this.work);
  }

  /** Resolve when the formulas and colours asked for so far are there. */
  async ready(): Promise<void> {
    await this.pending;
  }

  /** Show what has come, now. */
  flush(): void {
    const text = this.take();
    if (this.fence) {
      const rest = this.fence.append(text);
      if (rest === undefined && !this.finished) return;
      if (rest === undefined) this.fence.finish(this.fence.unfinishedLine);
      this.closeFence(rest ?? '');
    } else {
      this.tail += text;
    }
    this.render();
    if (this.finished) this.sections.end();
    else this.sections.mark(this.settled);
  }

  private take(): string {
    let text = this.incoming.join('');
    this.incoming = [];
    if (this.endsWithReturn) text = `\r${text}`;
    this.endsWithReturn = !this.finished && text.endsWith('\r');
    if (this.endsWithReturn) text = text.slice(0, -1);
    return text.replace(/\r\n?/g, '\n');
  }

  private closeFence(rest: string): void {
    if (!this.fence) return;
    this.later(colourCode(this.fence.element));
    this.fence = undefined;
    this.settled += 1;
    this.tail = rest;
  }

  private render(): void {
    while (this.advance());
    if (!this.finished) this.showTail();
  }

  /**
   * Make final what can be. Return whether there may be more.
   *
   * Only whole lines are looked at: the beginning of a line can make marked read the lines before it in another way.
   */
  private advance(): boolean {
    if (this.fence) return false;
    const source = this.finished ? this.tail : this.tail.slice(0, this.tail.lastIndexOf('\n') + 1);
    if (source === this.examined && !this.finished) return false;
    this.examined = source;
    const lexed = this.lexTail(source);
    if (!this.continues(lexed.tokens)) {
      this.examined = '';
      return true;
    }
    const count = this.finished ? lexed.tokens.length : countFinal(lexed.tokens);
    this.settle(lexed, count);
    return !this.finished && this.openLast(lexed, count);
  }

  private lexTail(source: string): Lexed {
    const head = this.open?.kind === 'table' ? this.open.head : '';
    return lex(head + source, this.late.links, !this.finished);
  }

  /** Whether the first token goes on with the open list or table; if not, it is closed as it is. */
  private continues(tokens: Token[]): boolean {
    const first = tokens[0];
    const open = this.open;
    if (!open) return true;
    if (open.kind === 'table' && first?.type === 'table') return true;
    if (open.kind === 'list' && first?.type === 'list' && bulletOf(first.raw) === open.bullet) return true;
    this.open = undefined;
    this.settled += 1;
    return false;
  }

  /** Render the first `count` tokens for good, and take their source from the tail. */
  private settle(lexed: Lexed, count: number): void {
    const tokens = lexed.tokens.slice(0, count);
    if (!tokens.length) return;
    let source = tokens.map((token) => token.raw).join('');
    let blocks = tokens;
    if (this.open) {
      if (this.open.kind === 'table') source = source.slice(this.open.head.length);
      this.settleOpen(tokens[0] as Tokens.List | Tokens.Table, lexed);
      blocks = tokens.slice(1);
    }
    const elements = this.place(blocks, lexed.misses);
    this.settled += elements.length;
    this.tail = this.tail.slice(source.length);
    this.late.learn(source);
  }

  private place(blocks: Token[], misses: Set<string>): Element[] {
    const shown = blocks
      .map((token) => ({ token, html: this.renderer.block(token) }))
      .filter(({ html }) => html !== '');
    if (!shown.length) return [];
    const placed = this.sections.put(this.settled, toElements(shown.map(({ html }) => html).join('')));
    placed.forEach((element, i) => {
      const token = shown[i]?.token;
      this.enhance(element);
      if (token) this.late.remember(element, token.raw, misses, (links) => this.renderOne(token.raw, links));
    });
    return placed;
  }

  private renderOne(raw: string, links: Links): Element | undefined {
    const token = lex(raw, links, false).tokens[0];
    return token && toElements(this.renderer.block(token))[0];
  }

  /** End the open list or table with the items or rows of `token`. */
  private settleOpen(token: Tokens.List | Tokens.Table, lexed: Lexed): void {
    if (this.open?.kind === 'list' && token.type === 'list')
      this.settleItems(this.open, token as Tokens.List, token.items.length, lexed.misses);
    if (this.open?.kind === 'table' && token.type === 'table')
      this.settleRows(this.open, token as Tokens.Table, token.rows.length, lexed.misses);
    this.open = undefined;
    this.settled += 1;
  }

  private settleItems(open: OpenList, list: Tokens.List, count: number, misses: Set<string>): void {
    const items = list.items.slice(0, count);
    if (!items.length) return;
    const html = items.map((item) => this.renderer.item(item)).join('');
    const placed = replaceFrom(open.element, open.count, toElements(`<ul>${html}</ul>`, 'ul'));
    placed.forEach((element, i) => {
      const raw = items[i]?.raw ?? '';
      this.enhance(element);
      this.late.remember(element, raw, misses, (links) => this.renderItem(raw, links));
    });
    open.count += placed.length;
    open.loose ||= isLoose(items, count < list.items.length);
    setLoose(open.element, open.loose);
  }

  private renderItem(raw: string, links: Links): Element | undefined {
    const list = lex(raw, links, false).tokens[0] as Tokens.List | undefined;
    const item = list?.items?.[0];
    return item && toElements(`<ul>${this.renderer.item(item)}</ul>`, 'ul')[0];
  }

  private settleRows(open: OpenTable, table: Tokens.Table, count: number, misses: Set<string>): void {
    const rows = table.rows.slice(0, count);
    const body = open.element.querySelector('tbody');
    if (!rows.length || !body) return;
    const html = rows.map((row) => this.renderer.row(row)).join('');
    const placed = replaceFrom(body, open.count, toElements(`<table><tbody>${html}</tbody></table>`, 'tbody'));
    const sources = rowSources(table).slice(0, count);
    placed.forEach((element, i) => {
      const raw = sources[i] ?? '';
      this.enhance(element);
      this.late.remember(element, raw, misses, (links) => this.renderRow(open.head + raw, links));
    });
    open.count += placed.length;
  }

  private renderRow(source: string, links: Links): Element | undefined {
    const row = (lex(source, links, false).tokens[0] as Tokens.Table | undefined)?.rows?.[0];
    return row && toElements(`<table><tbody>${this.renderer.row(row)}</tbody></table>`, 'tbody')[0];
  }

  /** Keep the last block open if it can grow part by part. Return whether the tail has changed by it. */
  private openLast({ tokens, misses }: Lexed, settled: number): boolean {
    const index = tokens.findLastIndex((token) => token.type !== 'space');
    const token = tokens[index];
    if (!token || index < settled) return false;
    const before = tokens.slice(settled, index);
    if (before.some((other) => other.type !== 'space')) return false;
    const at = before.reduce((length, other) => length + other.raw.length, 0);
    if (token.type === 'code') return this.openCode(token as Tokens.Code, at);
    if (token.type === 'list') return this.openItems(token as Tokens.List, at, misses);
    if (token.type === 'table') return this.openRows(token as Tokens.Table, at, misses);
    return false;
  }

  private openCode(token: Tokens.Code, at: number): boolean {
    const mark = openFence(token.raw);
    if (!mark) return false;
    const source = this.tail.slice(at);
    const opening = source.slice(0, source.indexOf('\n') + 1);
    const [element] = this.sections.put(this.settled, toElements(this.renderer.code('', token.lang)));
    if (!element) return false;
    this.fence = new Fence(element, mark, opening);
    this.tail = '';
    const after = this.fence.append(source.slice(opening.length));
    if (after !== undefined) this.closeFence(after);
    return after !== undefined;
  }

  private openItems(list: Tokens.List, at: number, misses: Set<string>): boolean {
    const count = list.items.length - 1;
    if (!count) return false;
    if (!this.open) {
      const shell = { ...list, items: [], loose: false };
      const [element] = this.sections.put(this.settled, toElements(this.renderer.block(shell)));
      if (!element) return false;
      this.open = { kind: 'list', element, bullet: bulletOf(list.raw), loose: false, count: 0 };
    }
    if (this.open.kind !== 'list') return false;
    this.settleItems(this.open, list, count, misses);
    this.tail = this.tail.slice(at + itemsSource(list, count).length);
    return true;
  }

  private openRows(table: Tokens.Table, at: number, misses: Set<string>): boolean {
    const sources = rowSources(table);
    if (!sources.length) return false;
    const head = table.raw
      .split('\n', 2)
      .map((line) => `${line}\n`)
      .join('');
    const from = (this.open ? 0 : at + head.length) + sources.join('\n').length + 1;
    if (!this.open) {
      const [element] = this.sections.put(
        this.settled,
        toElements(this.renderer.block({ ...table, rows: [] } as Tokens.Table)),
      );
      if (!element) return false;
      this.open = { kind: 'table', element, head, count: 0 };
    }
    if (this.open.kind !== 'table') return false;
    this.settleRows(this.open, table, table.rows.length, misses);
    this.tail = this.tail.slice(from);
    return true;
  }

  /** Show the tail as it is meant so far. */
  private showTail(): void {
    if (this.fence) return;
    const { tokens } = this.lexTail(repair(this.tail));
    const first = this.open ? this.showOpen(tokens) : 0;
    const html = tokens
      .slice(first)
      .map((token) => this.renderer.block(token))
      .join('');
    const placed = this.sections.put(this.settled + (this.open ? 1 : 0), html ? toElements(html) : []);
    placed.forEach((element) => this.later(drawMath(element)));
  }

  /** Show the unfinished items or rows of the open list or table. Return how many tokens they were. */
  private showOpen(tokens: Token[]): number {
    const token = tokens[0];
    if (this.open?.kind === 'list') {
      const items = token?.type === 'list' ? (token as Tokens.List).items : [];
      const html = items.map((item) => this.renderer.item(item)).join('');
      replaceFrom(this.open.element, this.open.count, html ? toElements(`<ul>${html}</ul>`, 'ul') : []).forEach(
        (item) => this.later(drawMath(item)),
      );
      setLoose(this.open.element, this.open.loose || isLoose(items, false));
      return token?.type === 'list' ? 1 : 0;
    }
    if (this.open?.kind === 'table') {
      const rows = token?.type === 'table' ? (token as Tokens.Table).rows : [];
      const body = this.open.element.querySelector('tbody');
      const html = rows.map((row) => this.renderer.row(row)).join('');
      if (body)
        replaceFrom(body, this.open.count, html ? toElements(`<table><tbody>${html}</tbody></table>`, 'tbody') : []);
      return token?.type === 'table' ? 1 : 0;
    }
    return 0;
  }

  private enhance(element: Element): void {
    this.later(drawMath(element));
    this.later(colourCode(element));
  }

  private later(work: Promise<unknown>): void {
    this.pending = Promise.all([this.pending, work]);
  }
}

function setLoose(list: Element, loose: boolean): void {
  if (loose) list.className = 'loose';
  else list.removeAttribute('class');
}

/** Return the source lines of a table's rows. */
function rowSources(table: Tokens.Table): string[] {
  return table.raw.split('\n').slice(2, 2 + table.rows.length);
}
