/** Short messages at the edge of the page. Problems stay until they are closed, or, if they are over when the server is back, until shortly after that; what can be undone stays for a while. */
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
  /** For what is over when the server is there: so long it stays then, in ms. */
  passingMs?: number;
}

export const STAY_MS = 7_000;
export const STAY_WHEN_BACK_MS = 2_000;
let keys = 0;

class Toasts {
  items = $state.raw<Toast[]>([]);
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();

  constructor() {
    reach.addEventListener('change', () => this.release());
  }

  /** Tell once that something failed since the server is away. */
  showPassing(text: string, passingMs: number): void {
    if (!this.items.some((toast) => toast.passingMs && toast.text === text))
      this.items = [...this.items, { key: ++keys, text, passingMs }];
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
    const stay = toast.action ? STAY_MS : !reach.lost && toast.passingMs;
    if (!stay) return;
    this.timers.set(
      toast.key,
      setTimeout(() => this.close(toast), stay),
    );
  }

  private stop(toast: Toast): void {
    clearTimeout(this.timers.get(toast.key));
    this.timers.delete(toast.key);
  }
}

export const toasts = new Toasts();
