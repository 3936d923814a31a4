/** The list of conversations: paged, searched, renamed, deleted with a way back. */
import { conversations as api } from '../api/client';
import { Problem } from '../api/http';
import type { Conversation, ConversationSettings } from '../api/types';

class Conversations {
  items = $state<Conversation[]>([]);
  query = $state('');
  loading = $state(false);
  failed = $state(false);
  loaded = $state(false);
  private cursor: string | null = null;
  private ended = $state(false);
  /** Deleted for the eye, not yet on the server. */
  private readonly leaving = new Map<string, Conversation>();
  private request: AbortController | undefined;

  get hasMore(): boolean {
    return !this.ended;
  }

  byId(id: string): Conversation | undefined {
    return this.items.find((item) => item.id === id);
  }

  /** Read the list anew, for the present query. */
  async load(): Promise<void> {
    this.request?.abort();
    this.cursor = null;
    await this.read(true);
  }

  async more(): Promise<void> {
    if (this.loading || this.ended || this.failed) return;
    await this.read(false);
  }

  private async read(anew: boolean): Promise<void> {
    const request = new AbortController();
    this.request = request;
    this.loading = true;
    try {
      const page = await api.list(this.query, this.cursor, request.signal);
      const fresh = page.items.filter((item) => !this.leaving.has(item.id));
      this.items = anew ? fresh : [...this.items, ...fresh.filter((item) => !this.byId(item.id))];
      this.cursor = page.next_cursor;
      this.ended = page.next_cursor === null;
      this.failed = false;
      this.loaded = true;
    } catch (error) {
      if (request.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.failed = true;
    } finally {
      if (this.request === request) this.loading = false;
    }
  }

  async create(settings: Partial<ConversationSettings>, requestId: string): Promise<Conversation> {
    const made = await api.create({ ...settings, client_request_id: requestId });
    this.put(made);
    return made;
  }

  /** Take the server's word about one conversation; the newest activity stands first. */
  put(conversation: Conversation): void {
    if (this.leaving.has(conversation.id)) return;
    const others = this.items.filter((item) => item.id !== conversation.id);
    const known = others.length < this.items.length;
    if (!known && this.query) return;
    const place = others.findIndex((item) => item.updated_at <= conversation.updated_at);
    if (place < 0 && !known && !this.ended) return;
    others.splice(place < 0 ? others.length : place, 0, conversation);
    this.items = others;
  }

  /** Read one conversation again; gone ones leave the list. */
  async refresh(id: string): Promise<void> {
    try {
      this.put(await api.get(id));
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.drop(id);
    }
  }

  async rename(id: string, title: string): Promise<void> {
    this.put(await api.change(id, { title }));
  }

  async change(id: string, fields: Partial<ConversationSettings>): Promise<Conversation> {
    const changed = await api.change(id, fields);
    this.put(changed);
    return changed;
  }

  /** Undo the making of a conversation whose first message was refused. */
  discard(id: string): void {
    this.drop(id);
    void api.remove(id).catch(() => undefined);
  }

  drop(id: string): void {
    this.items = this.items.filter((item) => item.id !== id);
  }

  /** Take a conversation from the list; `confirmRemoval` deletes it, `restore` brings it back. */
  hide(conversation: Conversation): void {
    this.leaving.set(conversation.id, conversation);
    this.drop(conversation.id);
  }

  restore(id: string): void {
    const conversation = this.leaving.get(id);
    this.leaving.delete(id);
    if (conversation) this.put(conversation);
  }

  async confirmRemoval(id: string, keepalive = false): Promise<void> {
    if (!this.leaving.has(id)) return;
    try {
      await api.remove(id, keepalive);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) {
        this.restore(id);
        throw error;
      }
    }
    this.leaving.delete(id);
  }

  /** The page is being left: what was deleted for the eye is deleted now. */
  flush(): void {
    for (const id of this.leaving.keys()) void this.confirmRemoval(id, true).catch(() => undefined);
  }
}

export const conversations = new Conversations();
