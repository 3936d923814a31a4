import { expect, test } from 'vitest';
import { answerText } from './answer-text';
import cases from './answer-texts.json';

interface Case {
  name: string;
  steps: [type: string, call: number, text?: string][];
  whole: string[];
  text: string;
}

for (const { name, steps, whole, text } of cases as unknown as Case[]) {
  test(name, () => {
    expect(answerText(steps.map(([type, call, text = '']) => ({ type, call, text })))).toBe(text);
    expect(answerText(whole.map((part) => ({ type: 'text', call: 1, text: part })))).toBe(text);
  });
}
