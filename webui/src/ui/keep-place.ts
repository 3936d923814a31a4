/** Keeping what was pressed where it is, while what it folds changes its height. */

/** Let `element` be where it is now once what is about to change is laid out, though the area that it lies in follows its end. */
export function keepPlace(element: HTMLElement): void {
  const area = element.closest('[role="log"]');
  const before = element.getBoundingClientRect().top;
  // It is told with the next layout, and after all observers that were there before: the area has moved by then.
  const observer = new ResizeObserver(() => {
    observer.disconnect();
    area?.scrollBy(0, element.getBoundingClientRect().top - before);
  });
  observer.observe(element);
}
