/** Short messages at the edge of the page. Problems stay until they are closed, or, if the server was away, until shortly after it is back; what can be undone stays for a while. */
import { reach } from '../api/reach';

export interface Action {
  label: string;
  run: () => void;
  /** Called once if the time is over, or the message is closed, without it. */
  otherwise: () => void;
}

export interface Toast {
  key: number;
  text: string;
  action?: Action;
  /** It says no more than that the server is away. */
  away?: boolean;
}

const STAY_MS = 7_000;
const STAY_WHEN_BACK_MS = 2_000;
let keys = 0;

class Toasts {
  items = $state.raw<Toast[]>([]);
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();

  constructor() {
    reach.addEventListener('change', () => this.release());
  }

  /** Tell that something failed since the server is away. */
  showAway(text: string): void {
    if (!this.items.some((toast) => toast.away)) this.items = [...this.items, { key: ++keys, text, away: true }];
    this.release();
  }

  show(text: string, action?: Action): void {
    const toast: Toast = action ? { key: ++keys, text, action } : { key: ++keys, text };
    this.items = [...this.items, toast];
    this.start(toast);
  }

  /** Close a message; its action is done, or not. */
  close(toast: Toast, act = false): void {
    if (!this.items.includes(toast)) return;
    this.stop(toast);
    this.items = this.items.filter((item) => item !== toast);
    if (act) toast.action?.run();
    else toast.action?.otherwise();
  }

  /** Whoever is at the messages has all the time that is needed. */
  hold(): void {
    for (const toast of this.items) this.stop(toast);
  }

  /** The time goes on, from its beginning. */
  release(): void {
    for (const toast of this.items) this.start(toast);
  }

  private start(toast: Toast): void {
    this.stop(toast);
    if (!toast.action && (!toast.away || reach.lost)) return;
    this.timers.set(
      toast.key,
      setTimeout(() => this.close(toast), toast.away ? STAY_WHEN_BACK_MS : STAY_MS),
    );
  }

  private stop(toast: Toast): void {
    clearTimeout(this.timers.get(toast.key));
    this.timers.delete(toast.key);
  }
}

export const toasts = new Toasts();
