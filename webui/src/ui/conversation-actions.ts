/** What is done with a conversation from its menu, in the list and at the title; what fails is shown. */
import { Problem } from '../api/http';
import type { Conversation } from '../api/types';
import { conversations } from '../state/conversations.svelte';
import { router } from '../state/router.svelte';
import { session } from '../state/session.svelte';
import { toasts } from '../state/toasts.svelte';
import { t } from '../text';
import { showProblem } from './problem-text';

export function pin({ id, pinned }: Conversation): void {
  void attempt(async () => {
    await conversations.pin(id, !pinned);
    tell(id, { pinned: !pinned });
  });
}

/** Give it another title; without one, all stays as it is. */
export function rename({ id, title: before }: Conversation, title?: string): void {
  if (!title || title === before) return;
  void attempt(async () => {
    await conversations.rename(id, title);
    tell(id, { title });
  });
}

/** Delete it, with a way back for a while. */
export function remove(conversation: Conversation): void {
  const { id } = conversation;
  const wasCurrent = router.conversationId === id;
  conversations.hide(conversation);
  if (wasCurrent) router.go(null);
  toasts.show(t.sidebar.removed(conversation.title || t.sidebar.untitled), {
    label: t.undo,
    run: () => conversations.restore(id) && wasCurrent && router.go(id),
    otherwise: () => void attempt(() => conversations.confirmRemoval(id)),
  });
}

/** The one that is open may be none of the list, which is read as far as it was looked at. */
function tell(id: string, fields: Partial<Conversation>): void {
  const open = session.thread.conversation;
  if (open?.id === id) Object.assign(open, fields);
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    showProblem(error);
  }
}
