/** A part of a conversation's branch as the page has it: messages without gaps, to which more are read at both ends. */
import { conversations as api, type MessagePart } from '../api/client';
import { Problem } from '../api/http';
import type { Message, MessagePage } from '../api/types';
import type { Followed } from './followed.svelte';
import { MessageView } from './message.svelte';
import { PAGE, type Place } from './parts';

export abstract class BranchPart {
  messages = $state<MessageView[]>([]);
  /** Whether the branch goes on before the first of the messages. */
  hasMore = $state(false);
  /** Whether it goes on after the last one. */
  hasNewer = $state(false);
  protected readonly closing = new AbortController();
  protected abstract readonly followed: Followed;
  private paging = false;

  constructor(readonly id: string | null) {}

  /** Listen to a turn in progress, whose events are in the message up to `after`. */
  protected abstract follow(view: MessageView, turnId: string, after: number): Promise<void>;

  protected holds(place: Place): boolean {
    if (place === 'end') return !this.hasNewer;
    if (place === 'start') return !this.hasMore && this.messages.length > 0;
    return this.messages.some((message) => message.id === place.id);
  }

  /** Have what the server said last; of what was there, what comes right before it stays. */
  protected show(page: MessagePage): void {
    const older = this.messages.findIndex((message) => message.id === page.items[0]?.id);
    if (older <= 0) this.hasMore = page.has_more;
    this.hasNewer = page.has_newer;
    this.reconcile(page.items, older > 0 ? this.messages.slice(0, older) : []);
  }

  /** Read the messages before the first one. */
  async older(limit = PAGE): Promise<void> {
    const first = this.messages[0];
    if (!this.hasMore || !first?.id) return;
    await this.page({ limit, before: first.id }, (page) => {
      this.hasMore = page.has_more;
      this.messages = [...page.items.map((message) => new MessageView(message)), ...this.messages];
    });
  }

  /** Read the messages after the last one. */
  async newer(): Promise<void> {
    const last = this.messages.at(-1);
    if (!this.hasNewer || !last?.id) return;
    await this.page({ limit: PAGE, after: last.id }, (page) => {
      this.hasNewer = page.has_newer;
      this.reconcile(page.items, this.messages);
    });
  }

  /** Read another part, unless what is shown becomes another meanwhile. The next scrolling repeats what has failed. */
  private async page(part: MessagePart, take: (page: MessagePage) => void): Promise<void> {
    if (this.id === null || this.paging) return;
    this.paging = true;
    const before = this.messages;
    try {
      const page = await api.messages(this.id, part, this.closing.signal);
      if (this.messages === before) take(page);
    } catch (error) {
      if (!(error instanceof Problem || this.closing.signal.aborted)) throw error;
    } finally {
      this.paging = false;
    }
  }

  private reconcile(items: Message[], before: MessageView[] = []): void {
    const known = new Map([...this.followed.views, ...this.messages].map((message) => [message.id, message]));
    const followed = (item: Message) => item.turn && this.followed.view(item.turn.id);
    const views = items.map((item) => this.viewOf(item, known.get(item.id) ?? followed(item) ?? undefined));
    this.messages = [...before, ...views];
    for (const [i, item] of items.entries()) {
      const view = views[i];
      if (view && item.turn) void this.follow(view, item.turn.id, item.turn.seq);
    }
  }

  private viewOf(item: Message, known: MessageView | undefined): MessageView {
    if (!known) return new MessageView(item);
    // A turn that is followed brings the rest itself, even if it is over on the server: else its events would come twice.
    const following = this.followed.has(item.turn?.id ?? known.turnId ?? '');
    if (following && known.status === 'queued' && item.turn) known.status = item.turn.status;
    if (
      following ||
      (!known.running && !item.turn && known.streamed() === item.text && known.status === (item.status ?? 'done'))
    )
      known.describe(item);
    else known.update(item);
    return known;
  }
}
