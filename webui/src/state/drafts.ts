/** What a person has written and not sent, kept for each conversation across reloads. */
import { onStored, store, stored, type Scope } from './storage';

const PREFIX = 'draft:';
/** What was written last is shared by all tabs; each has its own beside it, so that two on one conversation do not take it from each other. */
const SCOPES: readonly Scope[] = ['tab', 'all'];

/** The name under which the draft of a conversation that does not exist yet is kept. */
export const NEW_CHAT = 'new';

export function readDraft(key: string): string {
  return stored(PREFIX + key, 'tab') || stored(PREFIX + key);
}

export function writeDraft(key: string, text: string): void {
  for (const scope of SCOPES) store(PREFIX + key, text, scope);
}

/** Let go of what was sent of a draft, unless another tab has begun the next one meanwhile. */
export function dropDraft(key: string, sent: string): void {
  for (const scope of SCOPES) {
    const draft = stored(PREFIX + key, scope);
    if (isBegunBy(draft, sent)) store(PREFIX + key, without(draft, sent), scope);
  }
}

/** A conversation was made for the message that the draft begins with: the draft is one of that conversation. */
export function moveDraft(from: string, to: string, message: string): void {
  for (const scope of SCOPES) {
    const draft = stored(PREFIX + from, scope);
    if (!isBegunBy(draft, message)) continue;
    store(PREFIX + to, draft, scope);
    store(PREFIX + from, '', scope);
  }
}

/** Hear of drafts that are gone from what the tabs share: sent, or emptied, in another one. Returns what ends it. */
export function onDraftGone(hear: (key: string, before: string) => void): () => void {
  return onStored(PREFIX, (key, text, before) => {
    if (!text) hear(key, before);
  });
}

onDraftGone((key, before) => {
  if (stored(PREFIX + key, 'tab') === before) store(PREFIX + key, '', 'tab');
});

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

const ATTEMPTS = 'sending:';

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
    const found = JSON.parse(stored(ATTEMPTS + key) || 'null') as Attempt | null;
    return typeof found?.id === 'string' && Array.isArray(found.files) ? found : undefined;
  } catch {
    return undefined;
  }
}

export function writeAttempt(key: string, attempt: Attempt | undefined): void {
  store(ATTEMPTS + key, attempt ? JSON.stringify(attempt) : '');
}
