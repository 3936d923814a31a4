/** The list of conversations: paged, pinned, renamed, marked as read, deleted with a way back. */
import { conversations as api, type ConversationChange } from '../api/client';
import { Problem } from '../api/http';
import type { Conversation, ConversationSettings } from '../api/types';
import { keep, recall } from './copies';
import { Newest } from './newest';

const PAGE = 40;
/** As many as the server gives at once. */
const MOST = 200;
/** In characters, as on the server. */
const LONGEST_TITLE = 60;
/** Where a tab remembers what it was about to delete when it was reloaded. */
const LEAVING = 'luxx:leaving';

class Conversations {
  /** Those that are not pinned, newest activity first, as far as they were read. */
  items = $state.raw<Conversation[]>([]);
  pinned = $state.raw<Conversation[]>([]);
  loading = $state(false);
  failed = $state(false);
  loaded = $state(false);
  private cursor: string | null = null;
  private ended = $state(false);
  /** The activity of the last one that was read: what is older is not listed yet. */
  private oldest = '';
  /** Deleted for the eye, not yet on the server; null is one of which only the id is known. */
  private readonly leaving = new Map<string, Conversation | null>();
  /** What was heard of while the list is read, which may not know it yet. */
  private readonly meanwhile = new Map<string, Conversation>();
  private request: AbortController | undefined;
  private underWay = Promise.resolve();
  private keeping = false;
  private readonly newest = new Newest();
  /** Those that are being read again, and whether they have changed since. */
  private readonly refreshing = new Map<string, boolean>();
  /** Those whose mark is being taken away. */
  private readonly marking = new Set<string>();

  get hasMore(): boolean {
    return !this.ended;
  }

  byId(id: string): Conversation | undefined {
    const isIt = (item: Conversation) => item.id === id;
    return this.pinned.find(isIt) ?? this.items.find(isIt);
  }

  /** Read the list anew, about as far as it was read. */
  async load(): Promise<void> {
    this.finishLeaving();
    await this.begin(async (signal) => {
      const limit = Math.min(MOST, Math.max(PAGE, this.items.length));
      const [pinned, page] = await Promise.all([this.readPinned(signal), api.list(false, limit, null, signal)]);
      const items = page.items.map((item) => this.named(item));
      this.pinned = pinned.map((item) => this.named(item));
      this.items = [];
      this.take(items, page.next_cursor);
      keep((offline) => offline.makeSure());
    });
  }

  /** Read the next page, unless something is being read: then wait for that. */
  async more(): Promise<void> {
    if (this.loading) return this.underWay;
    if (this.ended || this.failed) return;
    await this.begin(async (signal) => {
      const page = await api.list(false, PAGE, this.cursor, signal);
      this.take(page.items, page.next_cursor);
    });
  }

  private begin(read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    return (this.underWay = this.reading(read));
  }

  private async reading(read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.request?.abort();
    const request = new AbortController();
    const asked = Date.now();
    this.request = request;
    this.loading = true;
    this.meanwhile.clear();
    try {
      await read(request.signal);
      for (const conversation of this.meanwhile.values()) this.put(conversation);
      this.failed = false;
      this.loaded = true;
      this.keep(asked);
    } catch (error) {
      if (request.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.failed = true;
      if (error.status === 401) keep((offline) => offline.forgetAll());
      else if (error.unreachable && !this.loaded) void this.showKept();
    } finally {
      if (this.request === request) this.loading = false;
    }
  }

  /** Show the list that this browser has kept, until the server has spoken. */
  private async showKept(): Promise<void> {
    const kept = await recall((offline) => offline.keptList());
    if (!kept || this.loaded || this.loading) return;
    Object.assign(this, kept);
    this.failed = false;
  }

  /** Have the list kept as it stands when there is time for it. */
  private keep(asked?: number): void {
    if (this.keeping || !this.loaded) return;
    this.keeping = true;
    keep((offline, read) => {
      this.keeping = false;
      return offline.keepList({ pinned: this.pinned, items: this.items }, read);
    }, asked);
  }

  /** What the server tells of a conversation, with the name that it has here for as long as it has none there. */
  private named(told: Conversation): Conversation {
    return named(told, this.byId(told.id)?.title ?? '');
  }

  private async readPinned(signal: AbortSignal): Promise<Conversation[]> {
    const found: Conversation[] = [];
    let cursor: string | null = null;
    do {
      const page = await api.list(true, MOST, cursor, signal);
      found.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return found.filter((item) => !this.leaving.has(item.id));
  }

  private take(page: Conversation[], cursor: string | null): void {
    const known = new Set([...this.items, ...this.pinned].map((item) => item.id));
    const fresh = page.filter((item) => !known.has(item.id) && !this.leaving.has(item.id));
    this.items = [...this.items, ...fresh];
    this.oldest = page.at(-1)?.updated_at ?? this.oldest;
    this.cursor = cursor;
    this.ended = cursor === null;
  }

  /** Make a conversation; `title` is what it is called until the server has named it after its first message. */
  async create(settings: Partial<ConversationSettings>, requestId: string, title: string): Promise<Conversation> {
    const made = named(await api.create({ ...settings, client_request_id: requestId }), title);
    this.put(made);
    return made;
  }

  /** Take the server's word about one conversation; the newest activity stands first. */
  put(told: Conversation): void {
    if (this.leaving.has(told.id)) return;
    const conversation = this.named(told);
    if (this.loading) this.meanwhile.set(conversation.id, conversation);
    const reached = this.ended || conversation.updated_at >= this.oldest;
    this.pinned = placed(this.pinned, conversation, conversation.pinned);
    this.items = placed(this.items, conversation, !conversation.pinned && reached);
    this.keep();
  }

  /** Read one conversation again, what changes meanwhile after that, however often it does; gone ones leave the list. */
  async refresh(id: string): Promise<void> {
    const busy = this.refreshing.has(id);
    this.refreshing.set(id, true);
    if (busy) return;
    while (this.refreshing.get(id)) {
      this.refreshing.set(id, false);
      await this.readOne(id);
    }
    this.refreshing.delete(id);
  }

  private async readOne(id: string): Promise<void> {
    try {
      const told = await this.newest.ask(id, api.get);
      if (told) this.put(told);
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.drop(id);
    }
  }

  async rename(id: string, title: string): Promise<void> {
    await this.change(id, { title });
  }

  async pin(id: string, pinned: boolean): Promise<void> {
    await this.change(id, { pinned });
  }

  /** Somebody looks at the conversation: its mark goes, here and on other devices. */
  async markRead(conversation: Conversation): Promise<void> {
    const { id } = conversation;
    this.put({ ...conversation, unread: false });
    if (this.marking.has(id)) return;
    this.marking.add(id);
    try {
      await this.newest.ask(id, () => api.change(id, { unread: false }));
    } catch (error) {
      // The mark is back with the next word of the server, and is taken away again then.
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.marking.delete(id);
    }
  }

  async change(id: string, fields: ConversationChange): Promise<Conversation> {
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
    keep((offline) => offline.forget(id));
    this.keep();
    this.meanwhile.delete(id);
    this.pinned = this.pinned.filter((item) => item.id !== id);
    this.items = this.items.filter((item) => item.id !== id);
  }

  /** Take a conversation from the list; `confirmRemoval` deletes it, `restore` brings it back. */
  hide(conversation: Conversation): void {
    this.leaving.set(conversation.id, conversation);
    this.saveLeaving();
    this.drop(conversation.id);
  }

  /** Undo `hide`; tell whether it is not too late. */
  restore(id: string): boolean {
    const conversation = this.leaving.get(id);
    if (!this.leaving.delete(id)) return false;
    this.saveLeaving();
    if (conversation) this.put(conversation);
    else void this.refresh(id);
    return true;
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
    this.saveLeaving();
  }

  /** The page is being left: what was deleted for the eye is deleted now. */
  flush(): void {
    for (const id of this.leaving.keys()) void this.confirmRemoval(id, true).catch(() => undefined);
  }

  /**
   * This tab was reloaded while something could still be undone: it stays gone, whatever became of the request. A tab that was
   * duplicated has what the first one saved, and there it can still be undone.
   */
  private finishLeaving(): void {
    if (!wasReloaded()) return;
    for (const id of savedLeaving()) {
      if (this.leaving.has(id)) continue;
      this.leaving.set(id, null);
      void this.confirmRemoval(id).catch(() => undefined);
    }
  }

  private saveLeaving(): void {
    try {
      sessionStorage.setItem(LEAVING, JSON.stringify([...this.leaving.keys()]));
    } catch {
      // Then a reload may show for a moment what is about to go.
    }
  }
}

function wasReloaded(): boolean {
  const [entry] = performance.getEntriesByType('navigation');
  return entry instanceof PerformanceNavigationTiming && entry.type === 'reload';
}

function savedLeaving(): string[] {
  try {
    return JSON.parse(sessionStorage.getItem(LEAVING) ?? '[]') as string[];
  } catch {
    return [];
  }
}

/** The words that a conversation is named after, as the server will name it. */
export function firstWords(text: string): string {
  const line = text
    .trimStart()
    .slice(0, LONGEST_TITLE * 4)
    .split(/\s+/)
    .join(' ')
    .trim();
  const signs = Array.from(line);
  if (signs.length <= LONGEST_TITLE) return line;
  const begun = signs.slice(0, LONGEST_TITLE - 1).join('');
  return `${begun.trimEnd()}…`;
}

/** Return the conversation, with a title for as long as it has none. */
function named(conversation: Conversation, title: string): Conversation {
  return conversation.title ? conversation : { ...conversation, title };
}

/** Return the list with the conversation where it belongs by its activity, or without it. */
function placed(list: Conversation[], conversation: Conversation, wanted: boolean): Conversation[] {
  const others = list.filter((item) => item.id !== conversation.id);
  if (!wanted) return others.length < list.length ? others : list;
  const place = others.findIndex((item) => item.updated_at <= conversation.updated_at);
  others.splice(place < 0 ? others.length : place, 0, conversation);
  return others;
}

export const conversations = new Conversations();
