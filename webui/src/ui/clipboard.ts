/** Copying, with the button saying that it is done. */
import { t } from '../text';
import { announcer } from '../state/announcer.svelte';
import { toasts } from '../state/toasts.svelte';

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

/** Copy the code block whose button was clicked; for one listener on an area with many of them. */
export async function copyCode(event: MouseEvent): Promise<void> {
  const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('.code-copy') : null;
  const code = button?.closest('.code')?.querySelector('pre > code');
  if (!button || !code) return;
  if (!(await copy(code.textContent.replace(/\n+$/, '')))) return;
  button.textContent = t.code.copied;
  setTimeout(() => (button.textContent = t.code.copy), 1500);
}
