/** What a person has written and not sent, kept for each conversation across reloads. */

const PREFIX = 'luxx:draft:';
/** What was written last is shared by all tabs; each has its own beside it, so that two on one conversation do not take it from each other. */
const PLACES = ['own', 'shared'] as const;
type Place = (typeof PLACES)[number];

/** The name under which the draft of a conversation that does not exist yet is kept. */
export const NEW_CHAT = 'new';

/** Whether this is what the storage calls the draft of a conversation. */
export function isDraft(stored: string | null, key: string): boolean {
  return stored === PREFIX + key;
}

export function readDraft(key: string): string {
  return readFrom('own', key) || readFrom('shared', key);
}

export function writeDraft(key: string, text: string): void {
  for (const place of PLACES) writeTo(place, key, text);
}

/** Let go of what was sent of a draft, unless another tab has begun the next one meanwhile. */
export function dropDraft(key: string, sent: string): void {
  for (const place of PLACES) {
    const draft = readFrom(place, key);
    if (isBegunBy(draft, sent)) writeTo(place, key, without(draft, sent));
  }
}

/** A conversation was made for the message that the draft begins with: the draft is one of that conversation. */
export function moveDraft(from: string, to: string, message: string): void {
  for (const place of PLACES) {
    const draft = readFrom(place, from);
    if (!isBegunBy(draft, message)) continue;
    writeTo(place, to, draft);
    writeTo(place, from, '');
  }
}

// A draft that is gone from what the tabs share was sent, or emptied, in another one.
addEventListener('storage', ({ key, oldValue, newValue }) => {
  if (!key?.startsWith(PREFIX) || newValue !== null) return;
  const draft = key.slice(PREFIX.length);
  if (readFrom('own', draft) === oldValue) writeTo('own', draft, '');
});

function readFrom(place: Place, key: string): string {
  try {
    return storage(place).getItem(PREFIX + key) ?? '';
  } catch {
    return '';
  }
}

function writeTo(place: Place, key: string, text: string): void {
  try {
    if (text) storage(place).setItem(PREFIX + key, text);
    else storage(place).removeItem(PREFIX + key);
  } catch {
    // Storage is full or closed: the text is still in the composer.
  }
}

function storage(place: Place): Storage {
  return place === 'own' ? sessionStorage : localStorage;
}

export function joined(texts: readonly string[]): string {
  return texts.filter((text) => text).join('\n\n');
}

/** What was written after the message that the text begins with. */
export function without(text: string, message: string): string {
  return message && isBegunBy(text, message) ? text.slice(message.length + 2) : text;
}

function isBegunBy(text: string, message: string): boolean {
  return text === message || text.startsWith(`${message}\n\n`);
}

const ATTEMPTS = 'luxx:sending:';

/** A message of which it is not known whether the server has it. */
export interface Attempt {
  /** The id of its request. */
  id: string;
  text: string;
  files: string[];
  /** The message after which it was sent, and how many like it stood there already. */
  after: string | null;
  alike: number;
}

export function readAttempt(key: string): Attempt | undefined {
  try {
    const found = JSON.parse(localStorage.getItem(ATTEMPTS + key) ?? 'null') as Attempt | null;
    return typeof found?.id === 'string' && Array.isArray(found.files) ? found : undefined;
  } catch {
    return undefined;
  }
}

export function writeAttempt(key: string, attempt: Attempt | undefined): void {
  try {
    if (attempt) localStorage.setItem(ATTEMPTS + key, JSON.stringify(attempt));
    else localStorage.removeItem(ATTEMPTS + key);
  } catch {
    // Storage is full or closed: it is known until the page is left.
  }
}
