import { expect, test } from 'vitest';
import { completed } from './address';

test.each([
  ['api.example.com/v1', 'https://api.example.com/v1'],
  [' api.example.com ', 'https://api.example.com'],
  ['//api.example.com', 'https://api.example.com'],
  ['8.8.8.8:443', 'https://8.8.8.8:443'],
  ['172.32.0.1', 'https://172.32.0.1'],
  ['[2001:db8::1]/v1', 'https://[2001:db8::1]/v1'],
  ['localhost:11434/v1', 'http://localhost:11434/v1'],
  ['LocalHost', 'http://LocalHost'],
  ['127.0.0.1:8000', 'http://127.0.0.1:8000'],
  ['192.168.1.20:1234/v1', 'http://192.168.1.20:1234/v1'],
  ['172.16.0.9', 'http://172.16.0.9'],
  ['10.0.0.1', 'http://10.0.0.1'],
  ['[::1]:8080', 'http://[::1]:8080'],
  ['[fd12::3]', 'http://[fd12::3]'],
  ['ollama:11434', 'http://ollama:11434'],
  ['box.local/v1', 'http://box.local/v1'],
])('%s is completed', (typed, whole) => {
  expect(completed(typed)).toBe(whole);
});

test.each(['', 'http://api.example.com', 'HTTPS://x.example', 'ftp://x.example', 'https:x.example', 'two words'])(
  '%s is left as it is',
  (typed) => {
    expect(completed(typed)).toBe(typed);
  },
);

test('what is no address is not made to look like one', () => {
  for (const typed of ['javascript:alert(1)', 'a:b:c', 'http:/x', '[::1']) expect(completed(typed)).toBe(typed);
});
