/** What of a long conversation may be taken out of the document, so that it does not fill with what nobody looks at. */

/** More messages than this do not stand in the document, but for what is near or in use. */
const MUCH = 100;
/** So far from what is seen, in pixels, is far away. */
const FAR = 4000;

/** Return how many of the articles may go at one end. */
export function countFar(area: HTMLElement, articles: readonly HTMLElement[], atEnd: boolean): number {
  const box = area.getBoundingClientRect();
  const far = (article: Element) => {
    const { top, bottom } = article.getBoundingClientRect();
    return atEnd ? top > box.bottom + FAR : bottom < box.top - FAR;
  };
  const over = Math.max(0, articles.length - MUCH);
  const candidates = (atEnd ? articles.toReversed() : articles).slice(0, over);
  const kept = candidates.findIndex((article) => !far(article) || isInUse(article));
  return kept < 0 ? candidates.length : kept;
}

/** Whether something would be lost with it: a selection, the focus on a part of it, something that is being written. */
function isInUse(article: HTMLElement): boolean {
  const focus = document.activeElement;
  if ((focus !== article && article.contains(focus)) || article.querySelector('form, textarea')) return true;
  const selection = getSelection();
  return !!selection && !selection.isCollapsed && selection.containsNode(article, true);
}
