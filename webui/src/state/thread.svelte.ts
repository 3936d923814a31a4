/**
 * The conversation that is open: its messages, the turns under way, and what a person does with them.
 *
 * One Thread lives as long as its conversation is shown. Leaving it ends the listening, never the turn.
 */
import { conversations as api, turns, type MessagePart, type TurnRequest } from '../api/client';
import { followTurn } from '../api/follow';
import { Problem } from '../api/http';
import type {
  Conversation,
  ConversationSettings,
  FileRef,
  Message,
  MessagePage,
  Notice,
  TurnEvent,
} from '../api/types';
import { lazy } from '../markdown/lazy';
import { t } from '../text';
import { announcer } from './announcer.svelte';
import { recallLeaf, rememberLeaf } from './branches';
import { keep } from './copies';
import { conversations } from './conversations.svelte';
import { startOfLine } from './line';
import { localMessage, MessageView } from './message.svelte';
import { DEFAULT_SETTINGS } from './default-settings';
import { PAGE, partShown, readPart } from './parts';
import { requestIds } from './request-ids';
import type { MessageAddress } from './router.svelte';

const around = lazy(() => import('./around'));

export class Thread {
  conversation = $state<Conversation | null>(null);
  /** Settings chosen before the conversation exists. */
  private planned = $state<ConversationSettings>({ ...DEFAULT_SETTINGS });
  messages = $state<MessageView[]>([]);
  hasMore = $state(false);
  /** Whether the branch goes on after the last message that is shown. */
  hasNewer = $state(false);
  /** The message that a link has led to; the view takes it away when it has shown it. */
  target = $state.raw<MessageAddress | null>(null);
  loading = $state(false);
  loadError = $state.raw<Problem | undefined>();
  notFound = $state(false);
  /** Whether a turn is under way whose stream is cut at the moment. */
  reconnecting = $state(false);
  readonly settings = $derived<ConversationSettings>(this.conversation ?? this.planned);
  /** The answer that is made now; others may wait behind it. */
  readonly running = $derived(this.messages.find((message) => message.running));
  /** Where the messages begin that wait behind it. */
  private readonly lineStart = $derived(startOfLine(this.messages));
  /** The messages that have been answered, or are about to be. */
  readonly told = $derived(this.messages.slice(0, this.lineStart));
  /** Those that wait until it is their turn, each with the place for its answer. */
  readonly line = $derived(this.messages.slice(this.lineStart));
  private readonly closing = new AbortController();
  private readonly followed = new Map<string, { view: MessageView; following: AbortController }>();
  private paging = false;
  /** Requests to start a turn that have no answer yet; meanwhile the page is ahead of the server. */
  private starting = 0;
  /** Whether something was to be read anew meanwhile. */
  private stale = false;
  private loads = 0;

  /** With `before`, a thread of the same conversation that was left: its end is shown until the server has spoken. */
  constructor(
    readonly id: string | null,
    before?: Thread,
  ) {
    if (!before) return;
    this.conversation = before.conversation;
    this.messages = before.messages.slice(-PAGE).filter((message) => message.id);
    this.hasMore = before.hasMore || before.messages.length > PAGE;
  }

  close(): void {
    this.closing.abort();
    for (const { following } of this.followed.values()) following.abort();
  }

  /** Read the conversation and the end of its branch, or the part around the message that `target` names. */
  async load(target: MessageAddress | null = null): Promise<void> {
    if (this.id === null) return;
    const own = ++this.loads;
    this.loading = true;
    this.loadError = undefined;
    try {
      const page = target && (await (await around()).readAround(this.id, target.id, PAGE, this.closing.signal));
      const [conversation, end] = await Promise.all([
        api.get(this.id, this.closing.signal),
        page ?? api.messages(this.id, { limit: PAGE }, this.closing.signal),
      ]);
      if (own !== this.loads) return;
      this.conversation = conversation;
      this.show(end);
      if (page) this.target = target;
      else keep((offline) => offline.keepConversation({ conversation, page: end }));
    } catch (error) {
      this.report(error);
    } finally {
      this.loading = false;
    }
  }

  private show(page: MessagePage): void {
    this.hasMore = page.has_more;
    this.hasNewer = page.has_newer;
    this.reconcile(page.items);
  }

  /** Lead to a message of this conversation, wherever it lies. */
  async goTo(target: MessageAddress): Promise<void> {
    if (this.messages.some((message) => message.id === target.id)) this.target = target;
    else await this.load(target);
  }

  /** Show the end of the branch. Raises Problem. */
  async toEnd(): Promise<void> {
    if (this.id === null || !this.hasNewer) return;
    this.show(await api.messages(this.id, { limit: PAGE }, this.closing.signal));
  }

  private report(error: unknown): void {
    if (this.closing.signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    this.notFound = error.status === 404;
    if (this.notFound) this.messages = [];
    this.loadError = error;
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

  /** Read what is shown again, and keep what is unchanged as it is. */
  async refresh(): Promise<void> {
    if (this.id === null) return;
    this.stale = this.starting > 0;
    if (this.stale) return;
    const { hasNewer } = this;
    try {
      const [conversation, page] = await Promise.all([
        api.get(this.id, this.closing.signal),
        readPart(this.id, partShown(this.messages, hasNewer), this.closing.signal),
      ]);
      if (this.starting > 0 || this.hasNewer !== hasNewer) return;
      this.conversation = conversation;
      conversations.put(conversation);
      const first = page.items[0];
      const older = this.messages.findIndex((message) => message.id === first?.id);
      if (older <= 0) this.hasMore = page.has_more;
      this.hasNewer = page.has_newer;
      this.reconcile(page.items, older > 0 ? this.messages.slice(0, older) : []);
      this.loadError = undefined;
      if (!hasNewer) keep((offline) => offline.keepConversation({ conversation, page }));
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.report(error);
      else if (!(error instanceof Problem) && !this.closing.signal.aborted) throw error;
    }
  }

  private reconcile(items: Message[], before: MessageView[] = []): void {
    const followed = [...this.followed.values()].map(({ view }) => view);
    const known = new Map([...followed, ...this.messages].map((message) => [message.id, message]));
    const views = items.map((item) => this.viewOf(item, known.get(item.id)));
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
      (!known.running && !item.turn && known.source() === item.text && known.status === (item.status ?? 'done'))
    )
      known.describe(item);
    else known.update(item);
    return known;
  }

  /** Follow a turn into its message, over any number of connections. */
  private async follow(view: MessageView, turnId: string, after: number, response?: Response): Promise<void> {
    if (this.followed.has(turnId) || this.closing.signal.aborted) return;
    const following = new AbortController();
    this.followed.set(turnId, { view, following });
    view.turnId = turnId;
    if (!this.line.includes(view)) announcer.say(t.status.generating);
    const end = await followTurn({
      turnId,
      after,
      ...(response ? { response } : {}),
      signal: following.signal,
      take: (event) => this.take(view, event),
      connected: (connected) => (this.reconnecting = !connected),
    });
    this.followed.delete(turnId);
    if (this.closing.signal.aborted) return;
    this.reconnecting = false;
    await this.settle(view, end === 'ended');
  }

  private take(view: MessageView, event: TurnEvent): void {
    view.apply(event);
    if (event.name === 'approval' && event.data.state === 'requested')
      announcer.say(event.data.question ? t.question.title(event.data.name) : t.approval.title(event.data.name));
    if (event.name === 'turn') {
      const user = this.messages[this.messages.indexOf(view) - 1];
      if (user?.role === 'user' && !user.id) user.id = event.data.user_message_id;
      view.parentId = event.data.user_message_id;
      if (!this.line.includes(view)) view.status = 'active';
    }
  }

  /** A turn is over: tell it, and take the server's final word on the messages. */
  private async settle(view: MessageView, seenEnd: boolean): Promise<void> {
    if (seenEnd || view.status === 'failed') announcer.ended(view);
    if (!seenEnd) view.end('done');
    await this.refresh();
  }

  /**
   * Start a turn: `request` sends it, `view` is where its answer goes. Return when the server has accepted it; raises Problem if
   * it has not, and then nothing is left of it on the page.
   */
  private async start(view: MessageView, request: (signal: AbortSignal) => Promise<Response>): Promise<void> {
    // Who leaves meanwhile has sent all the same: only what would follow is not listened to.
    const opened = new AbortController();
    const response = await request(opened.signal);
    if (this.closing.signal.aborted) opened.abort();
    const turnId = response.headers.get('Luxx-Turn-Id') ?? '';
    void this.follow(view, turnId, 0, response);
    if (view.stopping) void turns.cancel(turnId);
  }

  /** Send a message to the end of the branch, or, with `edited`, beside an earlier one. Raises Problem if it is not accepted. */
  async post(text: string, attachments: FileRef[], edited?: MessageView): Promise<void> {
    if (this.id === null) throw new Error('A message needs a conversation.');
    const id = this.id;
    if (!edited) await this.toEnd();
    const before = this.messages;
    const place = edited ? before.indexOf(edited) : before.length;
    const parentId = edited ? edited.parentId : (before.at(-1)?.id ?? null);
    const user = localMessage('user', text, parentId, attachments);
    const answer = localMessage('assistant', '', null);
    const body: Omit<TurnRequest, 'client_request_id'> = { text };
    if (edited) body.parent_id = parentId;
    else body.on_busy = 'queue';
    if (attachments.length) body.attachments = attachments.map((file) => file.id);
    await this.attempt([...before.slice(0, place), user, answer], () =>
      this.start(answer, (signal) => turns.post(id, { ...body, client_request_id: requestIds.for(id, body) }, signal)),
    );
    requestIds.done(id, body);
  }

  /** Make the answer once more, beside the present one; with `summary` in the place of the one that it begins with. */
  async regenerate(message: MessageView, summary?: string): Promise<void> {
    await this.again(message, turns.regenerate, summary === undefined ? {} : { summary });
  }

  /** Go on where a cut answer ended. */
  async continue(message: MessageView): Promise<void> {
    await this.again(message, turns.continue);
  }

  private async again(
    message: MessageView,
    request: typeof turns.regenerate,
    fields: Pick<TurnRequest, 'summary'> = {},
  ): Promise<void> {
    const place = this.messages.indexOf(message);
    const answer = localMessage('assistant', '', message.parentId);
    const body = { from: message.id, kind: request === turns.continue ? 'continue' : 'regenerate', ...fields };
    await this.attempt([...this.messages.slice(0, place), answer], () =>
      this.start(answer, (signal) =>
        request(message.id, { ...fields, client_request_id: requestIds.for(message.id, body) }, signal),
      ),
    );
    requestIds.done(message.id, body);
  }

  /** Show `messages` while `work` is done; put back what was there if it fails. */
  private async attempt(messages: MessageView[], work: () => Promise<void>): Promise<void> {
    const before = this.messages;
    const { hasNewer } = this;
    this.starting += 1;
    this.messages = messages;
    this.hasNewer = false;
    try {
      await work();
    } catch (error) {
      this.messages = before;
      this.hasNewer = hasNewer;
      throw error;
    } finally {
      this.starting -= 1;
      if (this.stale) void this.refresh();
    }
  }

  /** Stop the turn under way. What was made so far stays. */
  async stop(): Promise<void> {
    const message = this.running;
    if (!message || message.stopping) return;
    message.stopping = true;
    try {
      if (message.turnId) await turns.cancel(message.turnId);
    } catch (error) {
      message.stopping = false;
      throw error;
    }
  }

  /** Show another branch: in the place of `shown` the one through `messageId`. */
  async choose(shown: MessageView, messageId: string): Promise<void> {
    const id = this.id;
    if (id === null) return;
    const leaf = this.messages.at(-1)?.id;
    if (leaf) rememberLeaf(shown.id, leaf);
    const chosen = recallLeaf(messageId);
    this.conversation = await api.change(id, { leaf_id: chosen }).catch((error: unknown) => {
      if (chosen !== messageId && error instanceof Problem && error.status < 500)
        return api.change(id, { leaf_id: messageId });
      throw error;
    });
    await this.refresh();
  }

  /** Change how turns are made from now on. */
  async configure(fields: Partial<ConversationSettings>): Promise<void> {
    if (this.id === null) {
      this.planned = { ...this.planned, ...fields };
      return;
    }
    if (this.conversation) this.conversation = { ...this.conversation, ...fields };
    this.conversation = await conversations.change(this.id, fields);
  }

  /** Make a conversation with the settings chosen so far. */
  async create(): Promise<Conversation> {
    const settings: Partial<ConversationSettings> = Object.fromEntries(
      Object.entries(this.planned).filter(([, value]) => value !== null),
    );
    const made = await conversations.create(settings, requestIds.for('new', settings));
    requestIds.done('new', settings);
    return made;
  }

  /** A turn that is followed has its turn now. */
  private begun({ kind, turn_id }: Notice): void {
    const view = turn_id && this.followed.get(turn_id)?.view;
    if (view && kind === 'turn_started' && view.status === 'queued') view.status = 'active';
  }

  /** Something has changed on the server, here or in another tab. */
  notice(notice: Notice): void {
    if (notice.conversation_id !== this.id) return;
    if (notice.kind === 'conversation_deleted') this.notFound = true;
    else if (notice.turn_id && this.followed.has(notice.turn_id)) this.begun(notice);
    else void this.refresh();
  }
}
