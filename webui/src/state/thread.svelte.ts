/**
 * The conversation that is open: its messages, the turns under way, and what a person does with them.
 *
 * One Thread lives as long as its conversation is shown. Leaving it ends the listening, never the turn.
 */
import { conversations as api, turns, type AgainFields, type TurnRequest } from '../api/client';
import { Problem } from '../api/http';
import { reach } from '../api/reach';
import type { Conversation, ConversationSettings, FileRef, MessagePage, Notice, TurnEvent } from '../api/types';
import { t } from '../text';
import { announcer } from './announcer.svelte';
import { BranchPart } from './branch-part.svelte';
import { recallLeaf, rememberLeaf } from './branches';
import { keep } from './copies';
import { cancelTurn } from './cancel';
import { conversations } from './conversations.svelte';
import { Followed } from './followed.svelte';
import { startOfLine } from './line';
import { localMessage, MessageView } from './message.svelte';
import { Newest } from './newest';
import { PAGE, partShown, readPart, readPlace, type Place } from './parts';
import { Plan } from './plan.svelte';
import { requestIds } from './request-ids';

export class Thread extends BranchPart {
  conversation = $state<Conversation | null>(null);
  /** What holds until the conversation exists. */
  private readonly plan = new Plan(this.id === null);
  /** Where a person is to be led, now that it is there; the view takes it away when it has done so. */
  target = $state.raw<Place | null>(null);
  /** Whether all the messages are to stand in the document, as for paper. */
  whole = $state(false);
  loading = $state(false);
  loadError = $state.raw<Problem | undefined>();
  /** Where `load` was to lead last, to be tried again. */
  private wanted: Place = 'end';
  notFound = $state(false);
  readonly settings = $derived<ConversationSettings>(this.conversation ?? this.plan.settings);
  protected readonly followed = new Followed((view, event) => this.take(view, event));
  /** The answer that is made now, be it among the messages or not; others may wait behind it. */
  readonly running = $derived(this.messages.find((message) => message.running) ?? this.runningFurther());
  /** Where the messages begin that wait behind it. */
  private readonly lineStart = $derived(startOfLine(this.messages));
  /** The messages that have been answered, or are about to be. */
  readonly told = $derived(this.messages.slice(0, this.lineStart));
  /** Those that wait until it is their turn, each with the place for its answer. */
  readonly line = $derived(this.messages.slice(this.lineStart));
  /** Requests to start a turn that have no answer yet; meanwhile the page is ahead of the server. */
  private starting = 0;
  /** Changes when such a request is sent and when it is answered: what was asked for before may not know what was sent. */
  private starts = 0;
  private readonly newest = new Newest();
  /** How often another part has been asked for, and how many of these requests have no answer yet. */
  private reads = 0;
  private reading = 0;
  private endRead: Promise<void> | undefined;
  /** Whether something was to be read anew meanwhile. */
  private stale = false;

  /** With `before`, a thread of the same conversation that was left: its end is shown until the server has spoken. */
  constructor(id: string | null, before?: Thread) {
    super(id);
    if (!before) return;
    this.conversation = before.conversation;
    this.messages = before.messages.slice(-PAGE).filter((message) => message.id);
    this.hasMore = before.hasMore || before.messages.length > PAGE;
  }

  close(): void {
    this.closing.abort();
    this.followed.close();
  }

  /** Whether a turn is under way whose stream is cut at the moment. */
  get reconnecting(): boolean {
    return this.followed.reconnecting;
  }

  private runningFurther(): MessageView | undefined {
    const { views } = this.followed;
    const onBranch = this.hasNewer && views.some((view) => view.id === this.conversation?.leaf_id);
    return onBranch ? views.find((view) => view.running) : undefined;
  }

  /** Read the conversation and the part at a place, and lead there; without one, try the last one again. */
  async load(place = this.wanted): Promise<void> {
    if (this.id === null) return;
    this.wanted = place;
    this.loading = true;
    this.loadError = undefined;
    try {
      if ((this.conversation && this.holds(place)) || (await this.read(place))) this.target = place;
    } catch (error) {
      this.report(error);
    } finally {
      this.loading = false;
    }
  }

  /** Lead to a place of this conversation, wherever it lies. Raises Problem. */
  async goTo(place: Place): Promise<void> {
    if (place === 'end') await this.toEnd();
    if (this.holds(place) || (place !== 'end' && (await this.read(place)))) this.target = place;
  }

  /** Have the end of the branch among the messages. Raises Problem. */
  async toEnd(): Promise<void> {
    if (!this.hasNewer) return;
    // Who leaves meanwhile has sent all the same, and what is sent goes to the end.
    this.endRead ??= this.read('end', new AbortController().signal)
      .then(() => undefined)
      .finally(() => (this.endRead = undefined));
    await this.endRead;
  }

  /** Read the part at a place, and return true, unless meanwhile another one was asked for or a message sent. Raises Problem. */
  private async read(place: Place, signal = this.closing.signal): Promise<boolean> {
    const id = this.id ?? '';
    const own = ++this.reads;
    const asked = Date.now();
    const { starts } = this;
    this.reading += 1;
    try {
      const [conversation, page] = await Promise.all([api.get(id, signal), readPlace(id, place, signal)]);
      if (own !== this.reads) return false;
      this.conversation = conversation;
      this.stale ||= this.starts !== starts;
      if (this.starts !== starts) return false;
      this.show(page);
      if (place === 'end') this.keep(page, asked);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      this.reading -= 1;
      this.catchUp();
    }
  }

  private report(error: unknown): void {
    if (this.closing.signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    this.notFound = error.status === 404;
    if (this.notFound) this.messages = [];
    this.loadError = error;
  }

  /** Read what is there again, and keep what is unchanged as it is. */
  async refresh(): Promise<void> {
    if (this.id === null) return;
    this.stale = this.starting + this.reading > 0;
    if (this.stale) return;
    const { hasNewer, reads, starts } = this;
    const { ended } = this.followed;
    const asked = Date.now();
    try {
      const read = await this.newest.ask(this.id, (id) =>
        Promise.all([
          api.get(id, this.closing.signal),
          readPart(id, partShown(this.messages, hasNewer), this.closing.signal),
        ]),
      );
      if (!read) return;
      const [conversation, page] = read;
      if (this.starts !== starts) {
        this.stale = true;
        return this.catchUp();
      }
      // After a turn's end it is read again: what was read before is older than what is shown.
      if (this.reads !== reads || this.hasNewer !== hasNewer || this.followed.ended !== ended) return;
      this.conversation = conversation;
      conversations.put(conversation);
      this.show(page);
      this.loadError = undefined;
      if (!hasNewer) this.keep(page, asked);
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.report(error);
      else if (!(error instanceof Problem) && !this.closing.signal.aborted) throw error;
    }
  }

  /** Have the end of the branch kept, which was asked for at that time. */
  private keep(page: MessagePage, asked: number): void {
    const { conversation } = this;
    if (conversation) keep((offline, read) => offline.keepConversation({ conversation, page }, read), asked);
  }

  /** Do what had to wait until the page was not ahead of the server any more. */
  private catchUp(): void {
    if (this.stale && !this.closing.signal.aborted) void this.refresh();
  }

  /** Follow a turn into its message, over any number of connections. */
  protected async follow(view: MessageView, turnId: string, after: number, response?: Response): Promise<void> {
    if (this.followed.has(turnId) || this.closing.signal.aborted) return;
    view.turnId = turnId;
    if (view.stopping) void this.cancel(view).catch(() => undefined);
    if (!this.line.includes(view)) announcer.say(t.status.generating);
    const seenEnd = await this.followed.follow(view, turnId, after, response);
    if (seenEnd !== undefined) await this.settle(view, seenEnd);
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
    if (view.stopping) void this.cancel(view).catch(() => undefined);
  }

  /** Send a message to the end of the branch, or, with `edited`, beside an earlier one. Raises Problem if it is not accepted. */
  async post(text: string, attachments: FileRef[], edited?: MessageView): Promise<void> {
    if (this.id === null) throw new Error('A message needs a conversation.');
    const id = this.id;
    while (!edited && this.hasNewer) await this.toEnd();
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

  /** Make the answer once more, beside the present one: with `summary` in the place of the one that it begins with, or by another model. */
  async regenerate(message: MessageView, fields: AgainFields = {}): Promise<void> {
    await this.again(message, turns.regenerate, fields);
  }

  /** Go on where a cut answer ended. */
  async continue(message: MessageView): Promise<void> {
    await this.again(message, turns.continue, {}, requestIds.onward(message));
  }

  private async again(
    message: MessageView,
    request: typeof turns.regenerate,
    fields: AgainFields = {},
    id = requestIds.for(message.id, fields),
  ): Promise<void> {
    const place = this.messages.indexOf(message);
    const answer = localMessage('assistant', '', message.parentId);
    await this.attempt([...this.messages.slice(0, place), answer], () =>
      this.start(answer, (signal) => request(message.id, { ...fields, client_request_id: id }, signal)),
    );
    requestIds.done(message.id, fields);
  }

  /** Show `messages` while `work` is done; put back what was there if it fails. */
  private async attempt(messages: MessageView[], work: () => Promise<void>): Promise<void> {
    const before = this.messages;
    const { hasNewer } = this;
    this.starting += 1;
    this.starts += 1;
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
      this.starts += 1;
      this.catchUp();
    }
  }

  /** Stop the turn under way, or, if the server is away, as soon as it is back. What was made so far stays. */
  async stop(): Promise<void> {
    const message = this.running;
    if (!message || message.stopping) return;
    message.stopping = true;
    if (reach.lost) announcer.say(t.composer.stopLater);
    if (message.turnId) await this.cancel(message);
  }

  private async cancel(view: MessageView): Promise<void> {
    try {
      await cancelTurn(() => view.turnId);
    } catch (error) {
      view.stopping = false;
      throw error;
    }
  }

  /** Show another branch: in the place of `shown` the one through `messageId`. */
  async choose(shown: MessageView, messageId: string): Promise<void> {
    const id = this.id;
    if (id === null) return;
    const leaf = this.hasNewer ? this.conversation?.leaf_id : this.messages.at(-1)?.id;
    if (leaf) rememberLeaf(shown.id, leaf);
    const chosen = recallLeaf(messageId);
    this.conversation = await api.change(id, { leaf_id: chosen }).catch((error: unknown) => {
      if (chosen !== messageId && error instanceof Problem && error.status < 500)
        return api.change(id, { leaf_id: messageId });
      throw error;
    });
    await this.read({ id: messageId });
  }

  /** Change how turns are made from now on. */
  async configure(fields: Partial<ConversationSettings>): Promise<void> {
    if (this.id === null) {
      this.plan.change(fields);
      return;
    }
    const before = this.conversation;
    if (before) this.conversation = { ...before, ...fields };
    try {
      this.conversation = await conversations.change(this.id, fields);
    } catch (error) {
      this.conversation = before;
      throw error;
    }
  }

  /** Have what was chosen for a conversation kept: it was not made after all. */
  keepPlan(): void {
    this.plan.keep();
  }

  /** Make a conversation with the settings chosen so far, named by its first words. */
  create(title: string): Promise<Conversation> {
    return this.plan.create(title);
  }

  /** A turn that is followed has its turn now. */
  private begun({ kind, turn_id }: Notice): void {
    const view = turn_id && this.followed.view(turn_id);
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
