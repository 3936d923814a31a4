/** What this browser keeps under names of its own: for all tabs, or for this one. Where it cannot (full, or closed by the person), nothing is kept. */

const PREFIX = 'luxx:';

/** `all` outlives the browser, and is shared; `tab` is gone with the tab. */
export type Scope = 'all' | 'tab';

/** Return what is kept under a name, '' if that is nothing. */
export function recall(name: string, scope: Scope = 'all'): string {
  try {
    return storage(scope).getItem(PREFIX + name) ?? '';
  } catch {
    return '';
  }
}

/** Keep a text; '' is nothing to keep. */
export function keep(name: string, text: string, scope: Scope = 'all'): void {
  try {
    if (text) storage(scope).setItem(PREFIX + name, text);
    else storage(scope).removeItem(PREFIX + name);
  } catch {
    // It holds as long as the page.
  }
}

/** Return the list that is kept under a name, of items that may be anything. */
export function recallList(name: string, scope: Scope = 'all'): unknown[] {
  try {
    const found: unknown = JSON.parse(recall(name, scope) || '[]');
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/** Keep a list; an empty one is nothing to keep. */
export function keepList(name: string, items: readonly unknown[], scope: Scope = 'all'): void {
  keep(name, items.length ? JSON.stringify(items) : '', scope);
}

/** What a name is called in the events of the storage. */
export function storedAs(name: string): string {
  return PREFIX + name;
}

function storage(scope: Scope): Storage {
  return scope === 'tab' ? sessionStorage : localStorage;
}
