/** The order in which conversations are listed, and the way from one to those beside it. */
import type { Conversation } from '../api/types';
import { announcer } from '../state/announcer.svelte';
import { conversations } from '../state/conversations.svelte';
import { router } from '../state/router.svelte';
import { t } from '../text';

class Listed {
  /** When each was last active at the moment from which on their order is held. */
  private held = $state.raw<Map<string, string> | undefined>();
  /** How often a step has led somewhere. */
  steps = $state(0);
  readonly pinned = $derived(this.inOrder(conversations.pinned));
  readonly items = $derived(this.inOrder(conversations.items));

  readonly activeAt = ({ id, updated_at }: Conversation): string => {
    if (this.held && !this.held.has(id)) this.held.set(id, updated_at); // What has come since is held from then on.
    return this.held?.get(id) ?? updated_at;
  };

  hold(): void {
    this.held ??= new Map(
      [...conversations.pinned, ...conversations.items].map(({ id, updated_at }) => [id, updated_at]),
    );
  }

  release(): void {
    this.held = undefined;
  }

  /** Open the conversation so many rows further down, if there is one; from one that is not listed, the first. */
  async step(by: 1 | -1): Promise<void> {
    const next = this.from(router.conversationId, by);
    if (!next && (by > 0 || !conversations.loaded)) await conversations.more();
    const found = next ?? this.from(router.conversationId, by);
    if (!found) return;
    router.go(found.id);
    this.steps += 1;
    announcer.say(found.title || t.sidebar.untitled);
  }

  private from(id: string | null, by: number): Conversation | undefined {
    const all = [...this.pinned, ...this.items];
    return all[all.findIndex((item) => item.id === id) + by];
  }

  private inOrder(items: Conversation[]): Conversation[] {
    if (!this.held) return items;
    const at = this.activeAt;
    return items.toSorted((a, b) => (at(a) < at(b) ? 1 : at(a) > at(b) ? -1 : 0));
  }
}

export const listed = new Listed();
