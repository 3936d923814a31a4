import { expect, test } from 'vitest';
import { Newest } from './newest';

/** Ask for some things; return what is heard, and a way to answer each. */
function asking(...what: string[]) {
  const newest = new Newest();
  const heard: (string | undefined)[] = [];
  const answers = what.map((one, n) => {
    let answer: ((text: string) => void) | undefined;
    const question = () => new Promise<string>((told) => (answer = told));
    const done = newest.ask(one, question).then((text) => void (heard[n] = text));
    return async (text: string) => {
      answer?.(text);
      await done;
    };
  });
  return { heard, answers };
}

test('answers in the order of the requests are all taken', async () => {
  const { heard, answers } = asking('list', 'list');
  await answers[0]?.('old');
  await answers[1]?.('new');
  expect(heard).toEqual(['old', 'new']);
});

test('an answer that was overtaken is not', async () => {
  const { heard, answers } = asking('list', 'list');
  await answers[1]?.('new');
  await answers[0]?.('old');
  expect(heard).toEqual([undefined, 'new']);
});

test('answers about other things do not overtake it', async () => {
  const { heard, answers } = asking('one', 'other');
  await answers[1]?.('there');
  await answers[0]?.('here');
  expect(heard).toEqual(['here', 'there']);
});

test('a request that failed has overtaken nothing', async () => {
  const newest = new Newest();
  let answer: ((text: string) => void) | undefined;
  const first = newest.ask('list', () => new Promise<string>((told) => (answer = told)));
  await expect(newest.ask('list', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  answer?.('there');
  expect(await first).toBe('there');
});
