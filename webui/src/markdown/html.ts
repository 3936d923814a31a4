/** Markdown tokens to HTML. Only what this file writes is markup; all that comes from the text is escaped. */
import type { MarkedToken, Token, Tokens } from 'marked';
import type { FootnoteDef, FootnoteRef, MathPending, MathToken } from './extensions';

/** The words that the renderer itself puts on the page. */
export interface Labels {
  copy: string;
  wrap: string;
  save: string;
  image: string;
  code: string;
}

type AnyToken = MarkedToken | MathToken | MathPending | FootnoteRef | FootnoteDef;

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeAll(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

/** Escape, but let character references of the markdown stand: they mean their character. */
function escapeText(text: string): string {
  return text.replace(
    /[<>"']|&(?!(?:#\d{1,7}|#x[a-f\d]{1,6}|[a-z][a-z\d]{1,31});)/gi,
    (sign) => ENTITIES[sign] ?? sign,
  );
}

/** Whether code is high enough for its head to stay in sight. */
export function isLong(code: string): boolean {
  return code.split('\n', 9).length > 8;
}

/** Whether a link may be followed: an address with a scheme that runs no code and reads no file. */
export function isSafeLink(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)[^\s]/i.test(href);
}

/** Return the host of an address, '' where none can be told for sure: character references may hide in it. */
function hostOf(href: string): string {
  const address = /^https?:\/\/[^/?#\\&]+(?=[/?#]|$)/i.exec(href)?.[0];
  return address && URL.canParse(address) ? new URL(address).host : '';
}

/** Whether a list has space between its items. It is decided here so that it can be known item by item. */
export function isLoose(items: Tokens.ListItem[], followed: boolean): boolean {
  return items.some(
    (item, i) =>
      ((followed || i < items.length - 1) && /\n[ \t]*\n[ \t]*$/.test(item.raw)) ||
      item.tokens.some((token) => token.type === 'space' && /\n.*\n/.test(token.raw)),
  );
}

export class HtmlRenderer {
  /** Whether what is written now stands in a link. */
  private linked = false;

  constructor(private readonly labels: Labels) {}

  /** Return the HTML of a block: exactly one element, or nothing for tokens that show nothing. */
  block(generic: Token): string {
    const token = generic as AnyToken;
    switch (token.type) {
      case 'paragraph':
        return `<p>${this.inline(token.tokens)}</p>`;
      case 'text':
        return `<p>${token.tokens ? this.inline(token.tokens) : escapeText(token.text)}</p>`;
      case 'heading':
        return `<h${token.depth}>${this.inline(token.tokens)}</h${token.depth}>`;
      case 'code':
        return this.code(token.text, token.lang);
      case 'list':
        return this.list(token);
      case 'table':
        return this.table(token);
      case 'blockquote':
        return `<blockquote>${this.blocks(token.tokens)}</blockquote>`;
      case 'hr':
        return '<hr>';
      case 'math':
        return this.math(token.tex, true, 'div');
      case 'footnoteDef':
        return `<p class="footnote"><sup>${escapeAll(token.label)}</sup> ${this.inline(token.tokens ?? [])}</p>`;
      default:
        return '';
    }
  }

  blocks(tokens: Token[]): string {
    return tokens.map((token) => this.block(token)).join('');
  }

  /** Return a code block; the text may be empty, to be filled in later. */
  code(text: string, info: string | undefined): string {
    const language = /^[\w+#.-]{1,30}/.exec(info ?? '')?.[0].toLowerCase() ?? '';
    const attribute = language ? ` class="language-${escapeAll(language)}"` : '';
    const [wrap, save] = [escapeAll(this.labels.wrap), escapeAll(this.labels.save)];
    return (
      `<div class="code${language ? '' : ' plain'}${isLong(text) ? ' long' : ''}"><div class="code-head"><span>${escapeAll(language || this.labels.code)}</span>` +
      `<input type="checkbox" class="code-wrap" aria-label="${wrap}" title="${wrap}">` +
      `<button type="button" class="code-save" aria-label="${save}" title="${save}"></button>` +
      `<button type="button" class="code-copy">${escapeAll(this.labels.copy)}</button></div>` +
      `<pre tabindex="0" dir="ltr"><code${attribute}>${escapeAll(text)}</code></pre></div>`
    );
  }

  private list(list: Tokens.List): string {
    const tag = list.ordered ? 'ol' : 'ul';
    const start = list.ordered && list.start !== '' && list.start !== 1 ? ` start="${list.start}"` : '';
    const loose = isLoose(list.items, false) ? ' class="loose"' : '';
    return `<${tag}${start}${loose}>${list.items.map((item) => this.item(item)).join('')}</${tag}>`;
  }

  item(item: Tokens.ListItem): string {
    const name = item.task && escapeAll(item.text.replace(/[*_`~]|\n[^]*/g, ''));
    const box = item.task
      ? `<input type="checkbox" disabled${item.checked ? ' checked' : ''} aria-label="${name}"> `
      : '';
    const body = this.blocks(item.tokens.filter((token) => token.type !== 'checkbox'));
    return `<li${item.task ? ' class="task"' : ''}>${box}${body}</li>`;
  }

  private table(table: Tokens.Table): string {
    const rows = table.rows.map((row) => this.row(row)).join('');
    const head = this.row(table.header);
    return `<div class="table" tabindex="0"><table><thead>${head}</thead><tbody>${rows}</tbody></table></div>`;
  }

  row(cells: Tokens.TableCell[]): string {
    const html = cells.map((cell) => {
      const tag = cell.header ? 'th' : 'td';
      return `<${tag}${cell.align ? ` class="${cell.align}"` : ''}>${this.inline(cell.tokens)}</${tag}>`;
    });
    return `<tr>${html.join('')}</tr>`;
  }

  inline(tokens: Token[]): string {
    return tokens.map((token) => this.span(token as AnyToken)).join('');
  }

  private span(token: AnyToken): string {
    switch (token.type) {
      case 'text':
        return token.tokens ? this.inline(token.tokens) : escapeText(token.text);
      case 'escape':
        return escapeAll(token.text);
      case 'strong':
      case 'em':
      case 'del':
        return `<${token.type}>${this.inline(token.tokens)}</${token.type}>`;
      case 'codespan':
        return `<code dir="ltr">${escapeAll(token.text)}</code>`;
      case 'br':
        return '<br>';
      case 'link':
        return this.link(token.href, this.within(token.tokens), token.title);
      case 'image':
        return this.image(token);
      case 'inlineMath':
        return this.math(token.tex, token.display, 'span');
      case 'footnoteRef':
        return `<sup class="footnote-ref">${escapeAll(token.label)}</sup>`;
      case 'checkbox':
        return '';
      default:
        return escapeText(token.raw);
    }
  }

  private link(href: string, body: string, title: string | null | undefined, kind = ''): string {
    if (!isSafeLink(href)) return `<span class="${kind || 'dead-link'}">${body}</span>`;
    const hint = title ? ` title="${escapeText(title)}"` : '';
    const look = kind ? ` class="${kind}"` : '';
    return `<a${look} href="${escapeText(href)}" target="_blank" rel="noopener noreferrer nofollow"${hint}>${body}</a>`;
  }

  /** What stands in a link leads where the link does. */
  private within(tokens: Token[]): string {
    this.linked = true;
    const html = this.inline(tokens);
    this.linked = false;
    return html;
  }

  /** An image is not loaded, since that would tell its host who reads: what it shows, and where it is. */
  private image({ href, text, title }: Tokens.Image): string {
    const host = hostOf(href);
    const name = escapeText(text || (host ? '' : href));
    const body =
      `<span class="hidden-visually">${escapeAll(this.labels.image)}</span>` +
      (name && `<span dir="auto">${name}</span>`) +
      (host && ` <span class="host" dir="ltr">${escapeAll(host)}</span>`);
    return this.link(this.linked ? '' : href, body, title, 'image');
  }

  /** A formula is its source until KaTeX, loaded when first needed, is put in its place. */
  private math(tex: string, display: boolean, tag: 'div' | 'span'): string {
    return `<${tag} class="${display ? 'math display' : 'math'}" dir="ltr">${escapeAll(tex)}</${tag}>`;
  }
}
