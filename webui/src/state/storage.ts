/** What this browser keeps under names of its own: for all tabs, or for this one. Where it cannot (full, or closed by the person), nothing is kept. */

const PREFIX = 'luxx:';

/** `all` outlives the browser, and is shared; `tab` is gone with the tab. */
export type Scope = 'all' | 'tab';

/** Return what is kept under a name, '' if that is nothing. */
export function stored(name: string, scope: Scope = 'all'): string {
  try {
    return storage(scope).getItem(PREFIX + name) ?? '';
  } catch {
    return '';
  }
}

/** Keep a text; '' is nothing to keep. */
export function store(name: string, text: string, scope: Scope = 'all'): void {
  try {
    if (text) storage(scope).setItem(PREFIX + name, text);
    else storage(scope).removeItem(PREFIX + name);
  } catch {
    // It holds as long as the page.
  }
}

/** Return the list that is kept under a name, of items that may be anything. */
export function storedList(name: string, scope: Scope = 'all'): unknown[] {
  return listIn(stored(name, scope));
}

/** Keep a list; an empty one is nothing to keep. */
export function storeList(name: string, items: readonly unknown[], scope: Scope = 'all'): void {
  store(name, items.length ? JSON.stringify(items) : '', scope);
}

/** Return the list that a kept text holds, an empty one if it holds none. */
export function listIn(text: string): unknown[] {
  try {
    const found: unknown = JSON.parse(text || '[]');
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/** Hear what other tabs keep under names that begin with `prefix`, the rest of which is told; '' is nothing. Returns what ends it. */
export function onStored(prefix: string, hear: (rest: string, text: string, before: string) => void): () => void {
  const heard = ({ key, newValue, oldValue }: StorageEvent): void => {
    if (key?.startsWith(PREFIX + prefix))
      hear(key.slice(PREFIX.length + prefix.length), newValue ?? '', oldValue ?? '');
  };
  addEventListener('storage', heard);
  return () => removeEventListener('storage', heard);
}

function storage(scope: Scope): Storage {
  return scope === 'tab' ? sessionStorage : localStorage;
}
