/** What is pasted into the field for a message and does not belong into its text. */
import { TextFile } from '../state/attachments.svelte';
import { t } from '../text';

/** A text with more characters is too long to be looked at in the field. */
const LONG = 12_000;

/** Return what is to be attached of it: its files, or its text if that is long; nothing if it belongs into the field. */
export function filesIn(pasted: DataTransfer | null): File[] {
  const text = pasted?.getData('text/plain') ?? '';
  if (text.length > LONG) return [new TextFile(text, t.files.pasted)];
  return text ? [] : [...(pasted?.files ?? [])];
}
