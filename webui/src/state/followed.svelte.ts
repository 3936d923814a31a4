/** The turns that are listened to, each into its message, whether that is shown at the moment or not. */
import { followTurn } from '../api/follow';
import type { TurnEvent } from '../api/types';
import type { MessageView } from './message.svelte';

export class Followed {
  /** The messages, in the order in which their turns were found. */
  views = $state.raw<readonly MessageView[]>([]);
  /** Whether a stream is cut at the moment. */
  reconnecting = $state(false);
  /** How many turns were listened to until they were over. */
  ended = 0;
  private readonly endings = new Map<string, AbortController>();
  private closed = false;

  constructor(private readonly take: (view: MessageView, event: TurnEvent) => void) {}

  close(): void {
    this.closed = true;
    for (const ending of this.endings.values()) ending.abort();
  }

  has(turnId: string): boolean {
    return this.endings.has(turnId);
  }

  view(turnId: string): MessageView | undefined {
    return this.views.find((view) => view.turnId === turnId);
  }

  /** Follow a turn to its end, over any number of connections. Return whether that was seen; undefined if nobody listens any more. */
  async follow(view: MessageView, turnId: string, after: number, response?: Response): Promise<boolean | undefined> {
    const ending = new AbortController();
    this.endings.set(turnId, ending);
    this.views = [...this.views, view];
    const end = await followTurn({
      turnId,
      after,
      ...(response ? { response } : {}),
      signal: ending.signal,
      take: (event) => this.take(view, event),
      connected: (connected) => (this.reconnecting = !connected),
    });
    this.endings.delete(turnId);
    this.ended += 1;
    this.views = this.views.filter((other) => other !== view);
    if (this.closed) return undefined;
    this.reconnecting = false;
    return end === 'ended';
  }
}
