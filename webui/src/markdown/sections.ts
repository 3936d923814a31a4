/**
 * The blocks of a text in sections of equal length.
 *
 * A browser lays out a box by asking all its children, and watches each that it may skip: so a text is a few sections rather than
 * hundreds of blocks. Where a block stands depends on its number only, so that none ever moves.
 */
import { morphChildren } from './morph';

/** So many blocks make a section. */
const LENGTH = 12;
/** So many blocks before the unfinished one may be on the screen; sections before them are marked as past. */
const KEPT = 4;
const PAST = 'past';

export class Sections {
  /** How many sections are marked as past, for the style sheet. */
  private past = 0;
  /** How many blocks were final before: only they have been laid out, so that the browser knows how high they are. */
  private laidOut = 0;

  constructor(private readonly host: Element) {
    host.replaceChildren();
  }

  /** Put the elements in the place of all blocks from `start` on. Return what stands there now. */
  put(start: number, elements: Element[]): Element[] {
    const end = start + elements.length;
    while (this.host.children.length > Math.ceil(end / LENGTH)) this.host.lastElementChild?.remove();
    const placed: Element[] = [];
    for (let from = start - (start % LENGTH); from < end; from += LENGTH) {
      const part = elements.slice(Math.max(from - start, 0), from + LENGTH - start);
      placed.push(...replaceFrom(this.at(from / LENGTH), Math.max(start - from, 0), part));
    }
    return placed;
  }

  /** Tell the style sheet which sections it need not paint, now that so many blocks are final. */
  mark(settled: number): void {
    const end = Math.floor(Math.min(this.laidOut, settled - KEPT) / LENGTH);
    for (; this.past < end; this.past += 1) this.host.children[this.past]?.classList.add(PAST);
    this.laidOut = settled;
  }

  /** Take the marks away, one with each frame: to lay out all at once would hold up the page. */
  unmark(): void {
    if (!this.past) return;
    this.past -= 1;
    this.host.children[this.past]?.removeAttribute('class');
    requestAnimationFrame(() => this.unmark());
  }

  private at(index: number): Element {
    return this.host.children[index] ?? this.host.appendChild(document.createElement('div'));
  }
}

/** Put the elements in the place of all children from `start` on. */
export function replaceFrom(parent: Element, start: number, elements: Element[]): Element[] {
  const following = [...parent.children].slice(start + elements.length);
  following.forEach((element) => element.remove());
  return morphChildren(parent, start, elements) as Element[];
}
