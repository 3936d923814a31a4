import { describe, expect, test } from 'vitest';
import { SseParser, type ServerSentEvent } from './sse';

function parse(pieces: string[]): ServerSentEvent[] {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

const STREAM =
  '\uFEFF: hello\r\nid: 1\r\nevent: step_delta\r\ndata: {"a":"x\\ny"}\r\n\r\n' +
  'data: one\rdata:two\rdata:  three\r\r' +
  'id: 2\nevent: empty\n\n' +
  'data\n\nid\ndata: after an empty id\n\n' +
  'id: 3\0\ndata: bad id\nunknown: x\nretry: 12\nretry: 1x\n\nevent: cut\ndata: never dispatched\n';

const EVENTS: ServerSentEvent[] = [
  { id: '1', name: 'step_delta', data: '{"a":"x\\ny"}' },
  { id: '1', name: 'message', data: 'one\ntwo\n three' },
  { id: '2', name: 'message', data: '' },
  { id: '', name: 'message', data: 'after an empty id' },
  { id: '', name: 'message', data: 'bad id' },
];

describe('the reader of server-sent events', () => {
  test('reads every field, line end and comment', () => {
    expect(parse([STREAM])).toEqual(EVENTS);
  });

  test('gives the same events wherever the stream is cut', () => {
    for (let i = 0; i <= STREAM.length; i++) {
      for (const j of [i, Math.min(i + 1, STREAM.length), Math.min(i + 3, STREAM.length)]) {
        expect(parse([STREAM.slice(0, i), STREAM.slice(i, j), STREAM.slice(j)]), `${i} ${j}`).toEqual(EVENTS);
      }
    }
    expect(parse([...STREAM])).toEqual(EVENTS);
  });

  test('keeps the wish for a delay', () => {
    const parser = new SseParser();
    parser.push(STREAM);
    expect(parser.retry).toBe(12);
  });
});
