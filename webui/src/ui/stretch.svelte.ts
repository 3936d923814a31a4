/**
 * Which of the messages that are there stand in the document: a stretch of them around where a person looks, which grows where it is
 * scrolled to and is cut where nobody looks.
 */
import { untrack } from 'svelte';
import type { MessageView } from '../state/message.svelte';
import type { Place } from '../state/parts';
import type { Thread } from '../state/thread.svelte';

/** About so many nodes are put into the document at once. */
const PORTION = 1500;

export class Stretch {
  /** The keys of its first and last message; without a last one it goes on with what comes. */
  private first = $state('');
  private last = $state<string | null>(null);
  readonly to = $derived.by(() => this.end());
  readonly from = $derived.by(() => this.begin());
  readonly shown = $derived.by(() => this.thread.told.slice(this.from, this.to));
  /** Whether its end is the end of the branch. */
  readonly atEnd = $derived.by(() => !this.thread.hasNewer && this.to === this.thread.told.length);

  constructor(private readonly thread: Thread) {}

  private end(): number {
    const { told, whole } = this.thread;
    const last = this.last === null || whole ? -1 : told.findIndex((message) => message.key === this.last);
    return last < 0 ? told.length : last + 1;
  }

  private begin(): number {
    const { told, whole } = this.thread;
    if (whole) return 0;
    const first = told.findIndex((message) => message.key === this.first);
    return first >= 0 && first < this.to ? first : portionBefore(told, this.to);
  }

  private set(from: number, to: number): void {
    const { told, hasNewer } = this.thread;
    this.first = told[from]?.key ?? '';
    this.last = to === told.length && !hasNewer ? null : (told[to - 1]?.key ?? null);
  }

  /** Begin with the same message from now on, whatever comes before it. */
  settle(): void {
    this.first = this.thread.told[this.from]?.key ?? '';
  }

  /** Let a place be among what is shown. */
  lead(place: Place): void {
    const { told } = this.thread;
    const { from, to } = this;
    if (place === 'start') return this.set(0, from ? portionAfter(told, 0) : to);
    if (place === 'end') return this.set(to === told.length ? from : portionBefore(told, told.length), told.length);
    const at = told.findIndex((message) => message.id === place.id);
    if (at >= 0 && (at < from || at >= to)) this.set(portionBefore(told, at + 1), portionAfter(told, at));
  }

  /** Show earlier ones of those that are there. Return whether there were any. */
  growBack(): boolean {
    const { from } = this;
    if (from) this.set(portionBefore(this.thread.told, from), this.to);
    return from > 0;
  }

  /** Show later ones of those that are there. Return whether there were any; if not, end here until it is asked again. */
  growOn(): boolean {
    const { to } = this;
    const { told } = this.thread;
    if (to < told.length) this.set(this.from, portionAfter(told, to));
    else this.last = told.at(-1)?.key ?? null;
    return to < told.length;
  }

  /** Show so many fewer at one end. */
  cut(atEnd: boolean, count: number): void {
    if (count) this.set(this.from + (atEnd ? 0 : count), this.to - (atEnd ? count : 0));
  }
}

/** Return the index at which the messages before `end` begin that are put into the document at once. */
function portionBefore(messages: readonly MessageView[], end: number): number {
  let start = end;
  for (let room = PORTION; start > 0 && room > 0; start -= 1) room -= weightOf(messages[start - 1]);
  return start;
}

function portionAfter(messages: readonly MessageView[], start: number): number {
  let end = start;
  for (let room = PORTION; end < messages.length && room > 0; end += 1) room -= weightOf(messages[end]);
  return end;
}

/** Return about how many nodes a message is in the document; a formula is dozens. */
function weightOf(message: MessageView | undefined): number {
  if (!message) return 0;
  const text = untrack(() => message.source());
  const marks = text.match(/\$|\\[()[\]]/g)?.length ?? 0;
  return 30 + text.length / 12 + marks * 40;
}
