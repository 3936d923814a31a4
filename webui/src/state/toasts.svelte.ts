/** Short messages at the edge of the page, some with one thing to do. */

export interface Toast {
  key: number;
  text: string;
  action?: { label: string; run: () => void };
}

const STAY_MS = 7_000;
let keys = 0;

class Toasts {
  items = $state<Toast[]>([]);

  /** Show a message for some seconds. Return the function that takes it away. */
  show(text: string, action?: Toast['action'], stayMs = STAY_MS): () => void {
    const toast: Toast = action ? { key: ++keys, text, action } : { key: ++keys, text };
    this.items.push(toast);
    const remove = () => {
      clearTimeout(timer);
      this.items = this.items.filter((item) => item.key !== toast.key);
    };
    const timer = setTimeout(remove, stayMs);
    return remove;
  }

  remove(key: number): void {
    this.items = this.items.filter((item) => item.key !== key);
  }
}

export const toasts = new Toasts();
