/**
 * Keeps a scrolled area at its end while it grows, until a person moves up.
 *
 * A wheel, a finger or a key that moves up stops the following before anything has moved. Other scroll events are attributed: ours
 * (the position is the one we wrote), the browser's (the content changed, and the position was cut to fit or keeps what is in sight),
 * or the person's. Only a person stops the following, and only a person's way back to the end resumes it.
 */

/** So near to the end counts as being there, in pixels. */
const AT_END = 12;
/** A person who is farther from the end is offered a way back, in pixels; no line that goes is so high. */
const FAR = 160;
/** How much of the view a page is, as browsers have it. */
const PAGE = 0.875;
/** So much of what stands before what is held is in sight, in pixels. */
const ABOVE = 64;
const UP_KEYS = new Set(['PageUp', 'ArrowUp', 'Home']);

export class ScrollFollower {
  private following = true;
  private far = false;
  private written = -1;
  private lastTop = 0;
  private lastHeight = 0;
  private touchY = 0;
  /** Whether a button is held down, as on the scroll bar. */
  private pressed = false;
  /** What is to be seen from its beginning on while the end is followed. */
  private held: Element | undefined;
  /** Whether a person has moved on from there, and is left in peace. */
  private moved = false;
  /** How high the content was when it was last seen to change. */
  private seen = 0;
  /** How much farther the end has gone by the last change: what grows before what is in sight does not count. */
  private grew = 0;
  private readonly observer: ResizeObserver;
  private readonly ending = new AbortController();

  constructor(
    private readonly area: HTMLElement,
    content: HTMLElement,
    /** Told when it is or is no longer followed, and when a person goes far from the end or comes back. */
    private readonly changed: (following: boolean, far: boolean) => void,
    /** Whether the content's end is one that can be followed. */
    private readonly followable: () => boolean,
  ) {
    this.observer = new ResizeObserver(() => this.grown());
    this.observer.observe(content);
    this.observer.observe(area);
    const options = { passive: true, signal: this.ending.signal };
    area.addEventListener('scroll', () => this.scrolled(), options);
    area.addEventListener('wheel', (event) => event.deltaY < 0 && this.up(), options);
    area.addEventListener('touchstart', (event) => (this.touchY = event.touches[0]?.clientY ?? 0), options);
    area.addEventListener('touchmove', (event) => this.touched(event), options);
    area.addEventListener('keydown', (event) => this.key(event), options);
    for (const kind of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'] as const)
      area.addEventListener(kind, (event) => (this.pressed = event.buttons > 0), options);
  }

  end(): void {
    this.observer.disconnect();
    this.ending.abort();
  }

  /** Go to the end and follow it. */
  jump(): void {
    this.keep(undefined);
    this.set(true);
    this.write(this.area.scrollHeight);
  }

  /** Stop following, as when something else decides about the position. */
  release(): void {
    this.set(false);
  }

  /** Follow the end no further than the beginning of this; without it, again to the end. */
  hold(element: Element | undefined): void {
    if (!this.following) return;
    this.keep(element);
    this.moved = false;
    this.write(this.aim());
  }

  /** Move by a page, as a person does. */
  page(way: -1 | 1): void {
    if (way < 0) this.up();
    this.area.scrollBy({ top: way * this.area.clientHeight * PAGE });
  }

  /** Move by so many pixels without this counting as a person's move. */
  shift(by: number): void {
    if (by) this.write(this.area.scrollTop + by);
  }

  private set(wanted: boolean): void {
    const following = wanted && this.followable();
    if (this.following === following) return;
    this.following = following;
    this.changed(following, (this.far = this.isFar()));
  }

  private isFar(): boolean {
    return !this.following && (!this.followable() || this.distance() > FAR);
  }

  private look(): void {
    const far = this.isFar();
    if (far !== this.far) this.changed(this.following, (this.far = far));
  }

  private write(top: number): void {
    this.area.scrollTop = top;
    this.written = this.area.scrollTop;
    this.lastTop = this.written;
    this.lastHeight = this.seen = this.area.scrollHeight;
  }

  private grown(): void {
    const height = this.area.scrollHeight;
    const before = this.seen - this.area.clientHeight - this.lastTop;
    this.grew = Math.max(0, Math.min(height - this.seen, this.distance() - before));
    this.seen = height;
    if (this.area.scrollHeight <= this.area.clientHeight) this.set(true);
    if (this.following) this.write(this.aim());
    else this.look();
  }

  /** Where the view belongs that follows the end. */
  private aim(): number {
    if (!this.held?.isConnected) return this.area.scrollHeight;
    if (this.moved) return this.area.scrollTop;
    const beginning = this.held.getBoundingClientRect().top - this.area.getBoundingClientRect().top - ABOVE;
    return Math.min(this.area.scrollHeight, this.area.scrollTop + beginning);
  }

  private keep(element: Element | undefined): void {
    this.held = element;
    // What the browser would move to make up for a change would look like a person's move up.
    this.area.style.overflowAnchor = element ? 'none' : '';
  }

  private distance(): number {
    return this.area.scrollHeight - this.area.clientHeight - this.area.scrollTop;
  }

  /** Whether this is the end, or was it a moment ago: a person cannot know what has been added since. */
  private reached(): boolean {
    return this.distance() - this.grew <= AT_END;
  }

  /** A person's intent to move up, known before anything has moved. */
  private up(): void {
    if (this.area.scrollTop > 0) this.set(false);
  }

  private touched(event: TouchEvent): void {
    const y = event.touches[0]?.clientY ?? 0;
    if (y > this.touchY + 2) this.up();
    this.touchY = y;
  }

  private key(event: KeyboardEvent): void {
    if (UP_KEYS.has(event.key) || (event.key === ' ' && event.shiftKey)) this.up();
  }

  private scrolled(): void {
    const top = this.area.scrollTop;
    const height = this.area.scrollHeight;
    const moved = top - this.lastTop;
    const grown = height - this.lastHeight;
    this.lastTop = top;
    this.lastHeight = height;
    this.look();
    if (Math.abs(top - this.written) < 1 || this.isBrowsers(moved, grown)) return;
    this.written = -1; // a person who comes back to where we wrote has come by themselves
    this.moved = true;
    if (moved < 0) this.set(false);
    else if (this.reached()) {
      this.keep(undefined);
      this.set(true);
    }
  }

  /** Whether it was the browser that moved the view, since the content has changed. */
  private isBrowsers(moved: number, grown: number): boolean {
    if (Math.abs(moved) < 1) return true;
    if (moved > 0) return grown > 0 && Math.abs(moved - grown) < 1 && this.distance() > AT_END;
    // Cut to fit what had shrunk; where it has grown again since, only the way tells that from a person's.
    const cut = grown < 0 && this.distance() < 1;
    return cut || (grown !== 0 && -moved < FAR && !this.pressed);
  }
}
