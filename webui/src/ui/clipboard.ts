/** Copying, with the button saying that it is done. */
import { lazy } from '../markdown/lazy';
import { t } from '../text';
import { announcer } from '../state/announcer.svelte';
import { toasts } from '../state/toasts.svelte';

const loadFiles = lazy(() => import('./code-file'));

/** Copy text, with a rich form of it where the caller has one. Return whether it worked. */
export async function copy(text: string, html?: string): Promise<boolean> {
  try {
    if (html && 'ClipboardItem' in window) {
      const blob = (type: string, body: string) => new Blob([body], { type });
      const item = new ClipboardItem({ 'text/plain': blob('text/plain', text), 'text/html': blob('text/html', html) });
      await navigator.clipboard.write([item]);
    } else {
      await navigator.clipboard.writeText(text);
    }
    announcer.say(t.message.copied);
    return true;
  } catch {
    toasts.show(t.message.copyFailed);
    return false;
  }
}

/** Copy or save the code block whose button was clicked; for one listener on an area with many of them. */
export async function copyCode(event: MouseEvent): Promise<void> {
  const target = event.target instanceof Element ? event.target : null;
  const button = target?.closest<HTMLButtonElement>('.code-copy, .code-save');
  const code = button?.closest('.code')?.querySelector('pre > code');
  if (!button || !code) return;
  const source = code.textContent.replace(/\n+$/, '');
  if (button.classList.contains('code-save')) {
    const language = /(?:^| )language-(\S+)/.exec(code.className)?.[1];
    (await loadFiles()).saveCode(source, language ?? '');
    return;
  }
  if (!(await copy(source))) return;
  button.textContent = t.code.copied;
  setTimeout(() => (button.textContent = t.code.copy), 1500);
}

/** Return a rendered text as it is copied: without what is there to be clicked. */
export function richText(parts: Iterable<Element>): string {
  const copied = [...parts].map((part) => part.cloneNode(true) as Element);
  for (const part of copied) for (const head of part.querySelectorAll('.code-head')) head.remove();
  return copied.map((part) => part.innerHTML).join('');
}
