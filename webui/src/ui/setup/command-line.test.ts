import { expect, test } from 'vitest';
import { joinCommand, splitCommand } from './command-line';

test('words are parted at spaces, and quotes hold them together', () => {
  expect(splitCommand('  uvx  mcp-server-git --repository "/my files/a" \'b "c"\' d\\ e "" ')).toEqual([
    'uvx',
    'mcp-server-git',
    '--repository',
    '/my files/a',
    'b "c"',
    'd e',
    '',
  ]);
  expect(splitCommand('C:\\tools\\run.exe $HOME *')).toEqual(['C:\\tools\\run.exe', '$HOME', '*']);
});

test('an open quote is told of', () => {
  expect(splitCommand('run "this')).toBeUndefined();
});

test('what is joined is parted into the same words', () => {
  for (const words of [['a', ''], ["it's", 'a "b"', 'c\\', 'd\\ e', '\n'], ['C:\\x y\\z']])
    expect(splitCommand(joinCommand(words))).toEqual(words);
});
