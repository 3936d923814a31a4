/** What a screen reader is told: politely about answers, at once about errors. */
import { t } from '../text';
import type { MessageView } from './message.svelte';
import { spoken } from './spoken';

/** An object of its own for each time, so that the same words are told again. */
interface Said {
  text: string;
}

class Announcer {
  polite = $state.raw<Said>({ text: '' });
  assertive = $state.raw<Said>({ text: '' });

  say(text: string): void {
    this.polite = { text };
  }

  alert(text: string): void {
    this.assertive = { text };
  }

  /** Tell how an answer has ended, and its words: they were silent while they came. */
  ended(answer: MessageView): void {
    const { status, error } = answer;
    if (status === 'failed')
      this.alert(`${(error && t.turn.codes[error.code]) ?? t.turn.failed} ${error?.content ?? ''}`);
    else this.say(status === 'cancelled' ? t.turn.stopped : `${t.status.ready}. ${spoken(answer.source())}`);
  }
}

export const announcer = new Announcer();
