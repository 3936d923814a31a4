/**
 * The blocks of a text in sections of equal length.
 *
 * A browser lays out a box by asking all its children, and watches each that it may skip: so a text is a few sections rather than
 * hundreds of blocks. Where a block stands depends on its number only, so that none ever moves.
 */
import { morphChildren } from './morph';

/** So many blocks make a section. */
const LENGTH = 12;
/** So many blocks before the unfinished one may still be on the screen. */
const KEPT = 4;
/** Tells the style sheet that a section need not be painted where nobody sees it. */
const SETTLED = 'settled';

export class Sections {
  /** How many sections are marked as settled. */
  private marked = 0;
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

  /** Mark the sections that are settled, now that so many blocks are final. */
  mark(final: number): void {
    this.markUntil(Math.floor(Math.min(this.laidOut, final - KEPT) / LENGTH));
    this.laidOut = final;
  }

  /** Mark all sections as soon as they have been laid out. */
  end(): void {
    requestAnimationFrame(() => requestAnimationFrame(() => this.markUntil(this.host.children.length)));
  }

  private markUntil(end: number): void {
    for (; this.marked < end; this.marked += 1) this.host.children[this.marked]?.classList.add(SETTLED);
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
