/** Following a text that grows, at most once a frame. */
import { frames } from '../markdown';
import type { TextBuffer } from '../state/text-buffer';

/** Show the text now and whenever it has changed. Return the function that ends it. */
export function watch(buffer: TextBuffer | undefined, show: (text: string) => void): (() => void) | undefined {
  if (!buffer) return undefined;
  const work = () => show(buffer.text);
  work();
  const end = buffer.subscribe(() => frames.request(work));
  return () => {
    end();
    frames.drop(work);
  };
}

/** So many characters are shown of the end of a text. */
const TAIL = 160;

/** Show the last words of a text that may be long: only what comes is looked at. */
export function watchTail(buffer: TextBuffer, show: (words: string) => void): () => void {
  let tail = buffer.text.slice(-TAIL);
  const work = () => show(plain(tail));
  work();
  const end = buffer.subscribe((piece) => {
    tail = (piece === undefined ? buffer.text : tail + piece).slice(-TAIL);
    frames.request(work);
  });
  return () => {
    end();
    frames.drop(work);
  };
}

/** Return a piece of markdown on one line, without the signs that set it. */
function plain(text: string): string {
  return text
    .replace(/[*_`#>|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
