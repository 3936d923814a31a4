/** Server-sent events, read piece by piece by the rules of the WHATWG HTML standard, section 9.2. */

export interface ServerSentEvent {
  /** The last event id at that moment, which an event without its own inherits. */
  id: string;
  name: string;
  data: string;
}

export class SseParser {
  /** The stream's wish for the time before a new attempt, in milliseconds. */
  retry: number | undefined;
  private lastEventId = '';
  private buffer = '';
  private started = false;
  private afterReturn = false;
  private name = '';
  private data: string[] = [];

  /** Take a piece of the decoded stream and return the events that it completes. */
  push(chunk: string): ServerSentEvent[] {
    let text = chunk;
    if (!text) return [];
    if (!this.started) {
      this.started = true;
      if (text.startsWith('\uFEFF')) text = text.slice(1);
    }
    if (this.afterReturn) {
      this.afterReturn = false;
      if (text.startsWith('\n')) text = text.slice(1);
    }
    this.buffer += text;
    return this.takeLines();
  }

  private takeLines(): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    const ends = /\r\n|\n|\r/g;
    let from = 0;
    for (let match = ends.exec(this.buffer); match; match = ends.exec(this.buffer)) {
      const event = this.line(this.buffer.slice(from, match.index));
      if (event) events.push(event);
      from = ends.lastIndex;
    }
    this.afterReturn = this.buffer.endsWith('\r');
    this.buffer = this.buffer.slice(from);
    return events;
  }

  private line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line.charAt(colon + 1) === ' ' ? colon + 2 : colon + 1);
    this.field(field, value);
    return undefined;
  }

  private field(field: string, value: string): void {
    if (field === 'event') this.name = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
  }

  private dispatch(): ServerSentEvent | undefined {
    const { name, data } = this;
    this.name = '';
    this.data = [];
    if (!data.length) return undefined;
    return { id: this.lastEventId, name: name || 'message', data: data.join('\n') };
  }
}
