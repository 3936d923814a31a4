import { describe, expect, test } from 'vitest';
import type { Step, TurnEvent } from '../api/types';
import cases from './answer-texts.json';
import { localMessage } from './message.svelte';
import { Steps, type Part } from './steps.svelte';

interface Case {
  name: string;
  steps: [type: string, call: number, text?: string][];
  whole: string[];
}

const text = (index: number, content: string): Step => ({
  id: `step-${index}`,
  index,
  type: 'text',
  state: 'complete',
  call: 1,
  content,
});
const call = (index: number, name: string, of = 1): Step => ({
  ...{ id: `step-${index}`, index, type: 'tool_call', state: 'complete', call: of },
  ...{ id_ref: `provider-${index}`, name, arguments: '{}' },
});
const result = (index: number, ofIndex: number, of = 1): Step => ({
  ...{ id: `step-${index}`, index, type: 'tool_result', state: 'complete', call: of },
  ...{ id_ref: `step-${ofIndex}`, name: 'tool', content: `result of ${ofIndex}`, duration_ms: 5 },
});

const thinking = (index: number, content: string, of: number): Step => ({
  ...{ id: `step-${index}`, index, type: 'thinking', state: 'complete', call: of, content },
});

/** Parts in short: text by its contents, tools as name=result. */
function shape(parts: Part[]): unknown[] {
  return parts.map((part) =>
    part.kind === 'tools'
      ? part.pairs.map((pair) => `${pair.call?.name ?? '?'}=${pair.result?.text.text ?? '-'}`)
      : part.kind === 'resumed'
        ? part.kind + (part.anew ? ' anew' : '')
        : 'steps' in part
          ? `${part.kind}:${part.steps.map((step) => step.text.text).join('+')}`
          : `${part.kind}:${part.step.text.text}`,
  );
}

describe('the steps of a message', () => {
  test('results go to their calls, in whatever order they come', () => {
    const steps = new Steps([call(0, 'a'), call(1, 'b'), result(2, 1), result(3, 0)]);
    expect(shape(steps.parts)).toEqual([['a=result of 0', 'b=result of 1']]);
  });

  test('calls of one answer are a group, even if a result came between them', () => {
    const steps = new Steps([text(0, 'x'), call(1, 'a'), result(2, 1), call(3, 'b'), call(4, 'c', 2)]);
    expect(shape(steps.parts)).toEqual(['text:x', ['a=result of 1', 'b=-'], ['c=-']]);
  });

  test('a file stays between the texts that it came between', () => {
    const file = {
      ...text(1, ''),
      type: 'file',
      name: 'a.png',
      file_id: 'f',
      media_type: 'image/png',
      size: 1,
    } as Step;
    const steps = new Steps([text(0, 'Look: '), file, { ...text(2, 'After it.'), call: 2 }]);
    expect(steps.parts.map(({ kind }) => kind)).toEqual(['text', 'file', 'text']);
  });

  test('a restart of the server stands where it happened, and tears no pair apart', () => {
    const steps = new Steps([text(0, 'a'), text(1, 'lost'), call(2, 'b')]);
    steps.resume([1]);
    steps.put(result(3, 2));
    steps.put(text(4, 'c'));
    expect(shape(steps.parts)).toEqual(['text:a', ['b=result of 2'], 'resumed anew', 'text:c']);
    steps.resume([4]);
    expect(shape(steps.parts)).toEqual(['text:a', ['b=result of 2'], 'resumed anew']);
    steps.replace([text(1, 'a')], [-1]);
    expect(shape(steps.parts)).toEqual(['resumed', 'text:a']);
  });

  test('a restart tells whether what had been shown is made anew, live as in the saved message', () => {
    const steps = new Steps([call(0, 'a'), result(1, 0)]);
    steps.resume([]);
    expect(shape(steps.parts)).toEqual([['a=result of 0'], 'resumed']);
    steps.put({ ...text(2, 'lost'), call: 2 });
    steps.resume([2]);
    expect(shape(steps.parts)).toEqual([['a=result of 0'], 'resumed anew']);
    steps.replace([call(0, 'a'), result(1, 0), text(3, 'b')], [1, 1], [1]);
    expect(shape(steps.parts)).toEqual([['a=result of 0'], 'resumed anew', 'text:b']);
  });

  test('sources stand together, each address once, and tear no text apart', () => {
    const source = (index: number, url: string): Step => ({
      ...{ id: `step-${index}`, index, type: 'source', state: 'complete', call: 1 },
      ...{ url, title: `title ${index}`, content: '' },
    });
    const steps = new Steps([
      text(0, 'a'),
      source(1, 'https://x.example'),
      text(2, 'b'),
      source(3, 'https://x.example'),
    ]);
    expect(shape(steps.parts)).toEqual(['text:a', 'text:b']);
    expect(steps.sources.map((found) => found.title)).toEqual(['title 1']);
  });

  test('gaps in the indexes, void steps and unknown types do no harm', () => {
    const odd = [
      { ...text(2, 'void'), state: 'void' },
      { ...text(4, 'odd'), type: 'citation' },
    ] as Step[];
    const steps = new Steps([...odd, text(7, 'b'), result(9, 100)]);
    expect(shape(steps.parts)).toEqual(['text:b', ['?=result of 100']]);
  });
});

describe('a text that a later model call goes on with', () => {
  const later = (index: number, content: string, of: number): Step => ({ ...text(index, content), call: of }) as Step;
  const open = (parts: Part[]) => parts.flatMap((part) => (part.kind === 'text' ? [part.open] : []));

  for (const { name, steps, whole } of cases as unknown as Case[])
    test(`is one with it: ${name}`, () => {
      const views = steps.map(([type, of, content = ''], index) => {
        if (type === 'tool_call') return call(index, 'a', of);
        if (type === 'tool_result') return result(index, 100 + index, of);
        if (type === 'text') return later(index, content, of);
        return {
          id: `step-${index}`,
          index,
          type,
          state: 'complete',
          call: of,
          content: '',
          url: '',
        } as unknown as Step;
      });
      const texts = new Steps(views).parts.flatMap((part) => (part.kind === 'text' ? [part.steps] : []));
      expect(texts.map((of) => of.map((step) => step.text.text).join('')).filter(Boolean)).toEqual(whole);
    });

  test('stands in its place, and what was thought in between after it', () => {
    const steps = new Steps([text(0, 'a'), thinking(1, 'hm', 2), later(2, 'b', 2), call(3, 'x', 2), later(4, 'c', 3)]);
    expect(shape(steps.parts)).toEqual(['text:a+b', 'thinking:hm', ['x=-'], 'text:c']);
    expect(steps.parts.map((part) => part.key)).toEqual([0, 1, 3, 4]);
  });

  test('may go on as long as no tool of its model call is there', () => {
    const steps = new Steps([text(0, 'a')]);
    expect(open(steps.parts)).toEqual([true]);
    steps.put(thinking(1, 'hm', 2));
    expect(open(steps.parts)).toEqual([true]);
    steps.put(later(2, 'b', 3));
    expect(open(steps.parts)).toEqual([true]);
    steps.put(call(3, 'x', 3));
    expect(open(steps.parts)).toEqual([false]);
    steps.put(later(4, 'c', 4));
    expect(open(steps.parts)).toEqual([false, true]);
  });

  test('is not torn by a restart of the server, which is told until it goes on', () => {
    const steps = new Steps([text(0, 'a'), later(1, 'lost', 2)]);
    steps.resume([1]);
    expect(shape(steps.parts)).toEqual(['text:a', 'resumed anew']);
    steps.put(later(2, 'b', 2));
    expect(shape(steps.parts)).toEqual(['text:a+b']);
  });

  test('thoughts that follow each other are one', () => {
    const steps = new Steps([thinking(0, 'a', 1), thinking(1, 'b', 2), text(2, 'x'), thinking(3, 'c', 3)]);
    expect(shape(steps.parts)).toEqual(['thinking:a+b', 'text:x', 'thinking:c']);
  });
});

describe('the text of an answer', () => {
  test('is told as it was streamed, and taken away with the text around tools apart', () => {
    const steps = new Steps([text(0, 'before'), call(1, 'a'), result(2, 1), { ...text(3, 'after'), call: 2 }]);
    expect([steps.streamed(), steps.text()]).toEqual(['beforeafter', 'before\n\nafter']);
  });
});

describe('a message in progress', () => {
  let seq = 0;
  const event = (name: string, data: unknown) => ({ name, seq: ++seq, data }) as TurnEvent;

  test('takes steps, deltas and the end', () => {
    const message = localMessage('assistant', '', null);
    message.apply(event('turn', { turn_id: 't', message_id: 'm', user_message_id: 'u', provider: 'p', model: 'x' }));
    message.apply(event('process_step', { step: { ...text(0, ''), state: 'running' } }));
    message.apply(event('step_delta', { index: 0, text: 'Hel' }));
    message.apply(event('step_delta', { index: 0, text: 'lo' }));
    expect(message.source()).toBe('Hello');
    message.apply(event('process_step', { step: text(0, 'Hello') }));
    message.apply(event('done', { message_id: 'm', token_count: 2, finish_reason: 'stop' }));
    expect([message.status, message.source(), message.tokenCount]).toEqual(['done', 'Hello', 2]);
  });

  test('after a restart the void steps are gone', () => {
    const message = localMessage('assistant', '', null);
    message.apply(event('process_step', { step: { ...text(0, 'lost'), state: 'running' } }));
    message.apply(event('recovered', { epoch: 2, discarded: [0] }));
    message.apply(event('process_step', { step: text(1, 'kept') }));
    expect(message.source()).toBe('kept');
  });

  test('what waits for a person is the last word on each index, and ends with its call or its turn', () => {
    const message = localMessage('assistant', '', null);
    const ask = (index: number, state: string, of?: number) =>
      event('approval', {
        index,
        name: 'x',
        arguments: {},
        state,
        ...(of === undefined ? {} : { question: { call: of, message: '' } }),
      });
    message.apply(ask(0, 'requested'));
    message.apply(ask(5, 'requested', 1));
    expect(message.waiting).toBe(true);
    message.apply(ask(0, 'approved'));
    expect(message.approvals.map((approval) => [approval.index, approval.state])).toEqual([
      [5, 'requested'],
      [0, 'approved'],
    ]);
    message.apply(event('recovered', { epoch: 2, discarded: [1] }));
    expect(message.waiting).toBe(false);
    message.apply(ask(6, 'requested'));
    message.apply(event('cancelled', { message_id: 'm' }));
    expect(message.approvals.map((approval) => approval.index)).toEqual([0]);
  });

  test('a failure keeps what was made', () => {
    const message = localMessage('assistant', '', null);
    message.apply(event('process_step', { step: text(0, 'half') }));
    message.apply(event('error', { code: 'rate_limited', content: 'slow down', message_id: 'm' }));
    expect([message.status, message.error?.code, message.source()]).toEqual(['failed', 'rate_limited', 'half']);
  });
});
