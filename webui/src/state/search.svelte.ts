/** A search while it is typed: one request at a time, the last words count. */
import { Problem } from '../api/http';
import { search, type Hit } from '../api/search';

const PAUSE_MS = 180;

export class Search {
  hits = $state.raw<Hit[]>([]);
  state = $state<'searching' | 'done' | 'failed'>('searching');
  private query = '';
  private cursor: string | null = null;
  private request: AbortController | undefined;
  private pause: ReturnType<typeof setTimeout> | undefined;

  /** Look for something else, after a pause in the typing. What was found before stays till then. */
  seek(query: string): void {
    this.stop();
    this.query = query;
    this.state = 'searching';
    this.pause = setTimeout(() => void this.read(null), PAUSE_MS);
  }

  stop(): void {
    clearTimeout(this.pause);
    this.request?.abort();
  }

  retry(): void {
    void this.read(this.cursor);
  }

  more(): void {
    if (this.state === 'done' && this.cursor !== null) void this.read(this.cursor);
  }

  private async read(cursor: string | null): Promise<void> {
    const request = new AbortController();
    this.request = request;
    this.state = 'searching';
    try {
      const page = await search(this.query, cursor, request.signal);
      this.hits = cursor === null ? page.items : [...this.hits, ...page.items];
      this.cursor = page.next_cursor;
      this.state = 'done';
    } catch (error) {
      if (request.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      if (cursor === null) this.hits = [];
      this.cursor = cursor;
      this.state = 'failed';
    }
  }
}
