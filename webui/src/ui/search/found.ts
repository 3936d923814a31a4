/** The places in a message where something was found, marked without a change of the document. */

const NAME = 'found';
/** What is not text of the message, or is there more than once. */
const BESIDE = 'button, .code-head, .katex, .hidden-visually';
const BLOCKS = 'p, li, td, th, pre, h1, h2, h3, h4, h5, h6, blockquote, [dir]';
/** As on the server. */
const PIECE = /"([^"]*)"?|([^\s"]+)/g;
const MOST = 1000;

/** Return what is looked for: words, and texts in double quotes as they stand. Null if there is nothing. */
export function patternOf(query: string): RegExp | null {
  const pieces = [...query.matchAll(PIECE)].map(([, quoted, word]) => (quoted?.trim() || word) ?? '');
  const sources = pieces
    .filter(Boolean)
    .sort((a, b) => b.length - a.length)
    .map((piece) =>
      piece
        .split(/\s+/)
        .map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
        .join('\\s+'),
    );
  return sources.length ? new RegExp(sources.join('|'), 'giu') : null;
}

/** Return the places in the element's text; a word may be made of several nodes, but not of several blocks. */
export function placesIn(root: Element, pattern: RegExp): Range[] {
  const nodes = textNodes(root);
  let text = '';
  const starts = nodes.map((node, i) => {
    const before = nodes[i - 1];
    if (before && blockOf(before) !== blockOf(node)) text += '\n';
    const start = text.length;
    text += node.data;
    return start;
  });
  let i = 0;
  // Asked for in their order.
  const at = (offset: number) => {
    while ((starts[i + 1] ?? Infinity) <= offset) i += 1;
    const node = nodes[i];
    return node && ([node, Math.min(offset - (starts[i] ?? 0), node.length)] as const);
  };
  const ranges: Range[] = [];
  for (const { index, 0: found } of text.matchAll(pattern)) {
    const start = at(index);
    const end = at(index + found.length - 1);
    if (!start || !end || !found) continue;
    const range = new Range();
    range.setStart(...start);
    range.setEnd(end[0], Math.min(end[1] + 1, end[0].length));
    if (ranges.push(range) === MOST) break;
  }
  return ranges;
}

function textNodes(root: Element): Text[] {
  const found: Text[] = [];
  for (const part of root.querySelectorAll('.bubble, .answer-text')) {
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
      if (!walker.currentNode.parentElement?.closest(BESIDE)) found.push(walker.currentNode as Text);
  }
  return found;
}

function blockOf(node: Node): Element | null | undefined {
  return node.parentElement?.closest(BLOCKS);
}

/** Where something was found in one message, as long as it is marked there. */
export class Found {
  private ranges: Range[] = [];
  private asked = false;
  private readonly observer = new MutationObserver(() => this.soon());
  private readonly pattern: RegExp | null;

  constructor(
    private readonly element: Element,
    query: string,
  ) {
    this.pattern = patternOf(query);
    this.mark();
    // Colours and formulas come later, and with them other nodes.
    if (this.pattern) this.observer.observe(element, { childList: true, subtree: true });
  }

  /** The first place, if there is one. */
  get first(): Range | undefined {
    return this.ranges[0];
  }

  clear(): void {
    this.observer.disconnect();
    this.ranges = [];
    CSS.highlights?.delete(NAME);
  }

  private soon(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (this.ranges.length) this.mark();
    });
  }

  private mark(): void {
    this.ranges = this.pattern ? placesIn(this.element, this.pattern) : [];
    if (!CSS.highlights) return;
    if (this.ranges.length) CSS.highlights.set(NAME, new Highlight(...this.ranges));
    else CSS.highlights.delete(NAME);
  }
}
