/** What a person has written and not sent, kept for each conversation across reloads. */

const PREFIX = 'luxx:draft:';

/** The name under which the draft of a conversation that does not exist yet is kept. */
export const NEW_CHAT = 'new';

/** Whether this is what the storage calls the draft of a conversation. */
export function isDraft(stored: string | null, key: string): boolean {
  return stored === PREFIX + key;
}

export function readDraft(key: string): string {
  try {
    return localStorage.getItem(PREFIX + key) ?? '';
  } catch {
    return '';
  }
}

export function writeDraft(key: string, text: string): void {
  try {
    if (text) localStorage.setItem(PREFIX + key, text);
    else localStorage.removeItem(PREFIX + key);
  } catch {
    // Storage is full or closed: the text is still in the composer.
  }
}

/** Let go of a draft that was sent, unless another tab has begun the next one meanwhile. */
export function dropDraft(key: string, sent: string): void {
  if (readDraft(key) === sent) writeDraft(key, '');
}
