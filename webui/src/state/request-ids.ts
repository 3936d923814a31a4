/** Ids that make a request safe to repeat: the same id as long as the same thing is tried, a new one after it was accepted. */

export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

class RequestIds {
  private readonly open = new Map<string, string>();

  for(target: string, body: unknown): string {
    const key = this.key(target, body);
    const id = this.open.get(key) ?? freshId();
    this.open.set(key, id);
    return id;
  }

  done(target: string, body: unknown): void {
    this.open.delete(this.key(target, body));
  }

  private key(target: string, body: unknown): string {
    return `${target} ${JSON.stringify(body)}`;
  }
}

export const requestIds = new RequestIds();
