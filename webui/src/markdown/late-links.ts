/** Link definitions, which may come long after the text that uses them. */
import type { Links } from 'marked';
import { lex } from './lexer';

type Render = (links: Links) => Element | undefined;

/** A final part of the text that mentions labels which were not defined when it was rendered. */
interface Waiting {
  element: Element;
  labels: string[];
  render: Render;
}

export class LateLinks {
  /** The definitions in the final text; the first one of a label counts. */
  links: Links = {};
  private readonly waiting: Waiting[] = [];

  constructor(private readonly rendered: (element: Element) => void) {}

  /** Remember a part if it mentions one of the labels that were looked up in vain. */
  remember(element: Element, raw: string, misses: Set<string>, render: Render): void {
    if (!misses.size || !raw.includes('[')) return;
    const source = raw.toLowerCase().replace(/\s+/g, ' ');
    const labels = [...misses].filter((label) => source.includes(label));
    if (labels.length) this.waiting.push({ element, labels, render });
  }

  /** Take up the definitions in final text, and render again the parts that waited for them. */
  learn(source: string): void {
    if (!source.includes(']:')) return;
    const { links } = lex(source, this.links, false);
    const fresh = Object.keys(links).filter((label) => !(label in this.links));
    if (!fresh.length) return;
    this.links = links;
    for (const part of this.waiting.filter(({ labels }) => labels.some((label) => fresh.includes(label)))) {
      const element = part.render(links);
      if (!element) continue;
      part.element.replaceWith(element);
      part.element = element;
      this.rendered(element);
    }
  }
}
