/** Whether the server can be reached: one word on it for all requests and streams. */

class Reach extends EventTarget {
  /** Whether the last attempt found nobody, and nothing was heard since. Each change is told as `change`. */
  lost = false;

  /** A request found nobody. */
  missed(): void {
    this.set(true);
  }

  /** A stream goes on. */
  heard(): void {
    this.set(false);
  }

  /** A request was answered. After a cut this is told as `back` to those that wait to try again. */
  answered(): void {
    if (!this.lost) return;
    this.heard();
    this.dispatchEvent(new Event('back'));
  }

  private set(lost: boolean): void {
    if (this.lost === lost) return;
    this.lost = lost;
    this.dispatchEvent(new Event('change'));
  }
}

export const reach = new Reach();
