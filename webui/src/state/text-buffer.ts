/** Text that grows, outside of reactive state: only its readers hear of a new piece, and the whole is joined when it is asked for. */

/** Called with a new piece, or with undefined when the text was replaced. */
export type TextListener = (piece: string | undefined) => void;

export class TextBuffer {
  private pieces: string[];
  private readonly listeners = new Set<TextListener>();

  constructor(text = '') {
    this.pieces = text ? [text] : [];
  }

  get text(): string {
    if (this.pieces.length > 1) this.pieces = [this.pieces.join('')];
    return this.pieces[0] ?? '';
  }

  append(piece: string): void {
    if (!piece) return;
    this.pieces.push(piece);
    for (const listener of this.listeners) listener(piece);
  }

  /** Make this the text; what it has in common with the present one stays. */
  set(text: string): void {
    const present = this.text;
    if (text === present) return;
    if (text.startsWith(present)) {
      this.append(text.slice(present.length));
      return;
    }
    this.pieces = [text];
    for (const listener of this.listeners) listener(undefined);
  }

  /** Hear of changes. Return the function that ends it. */
  subscribe(listener: TextListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
