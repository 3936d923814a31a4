/** Ids that make a request safe to repeat: the same id as long as the same thing is tried, a new one after it was accepted. */
import { Problem } from '../api/http';
import { readAttempt, writeAttempt, type Attempt } from './drafts';

export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Make a request that has an id, and once more if nothing came back: only the answer may have been lost. */
export async function insist<Result>(request: () => Promise<Result>): Promise<Result> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof Problem && error.unreachable)) throw error;
    return request();
  }
}

/** What a continuation begins with. */
interface Cut {
  id: string;
  siblings: readonly string[];
}

class RequestIds {
  private readonly open = new Map<string, string>();
  /** The messages that are on their way, each with the body that it was given; they outlive a reload with their drafts. */
  private readonly attempts = new Map<string, { attempt: Attempt | undefined; body?: string }>();

  /** The next request to this conversation sends a message. If the same one was tried before, it keeps its id. */
  begin(target: string, message: Omit<Attempt, 'id'>): void {
    const before = this.begun(target);
    if (before?.text === message.text && before.files.join() === message.files.join()) return;
    this.put(target, { ...message, id: freshId() });
  }

  /** The message that was sent to a conversation without a word on whether it was accepted. */
  begun(target: string): Attempt | undefined {
    return this.known(target).attempt;
  }

  forget(target: string): void {
    this.put(target, undefined);
  }

  for(target: string, body: unknown): string {
    const key = this.key(target, body);
    const known = this.known(target);
    if (known.attempt && (known.body ??= key) === key) return known.attempt.id;
    const id = this.open.get(key) ?? freshId();
    this.open.set(key, id);
    return id;
  }

  /** To go on with an answer is one wish in all tabs, until there is another answer beside it. */
  onward({ id, siblings }: Cut): string {
    return `onward ${id} ${siblings.at(-1) ?? id}`;
  }

  done(target: string, body: unknown): void {
    const key = this.key(target, body);
    this.open.delete(key);
    if (this.known(target).body === key) this.forget(target);
  }

  private known(target: string): { attempt: Attempt | undefined; body?: string } {
    const known = this.attempts.get(target) ?? { attempt: readAttempt(target) };
    this.attempts.set(target, known);
    return known;
  }

  private put(target: string, attempt: Attempt | undefined): void {
    this.attempts.set(target, { attempt });
    writeAttempt(target, attempt);
  }

  private key(target: string, body: unknown): string {
    return `${target} ${JSON.stringify(body)}`;
  }
}

export const requestIds = new RequestIds();
