import { expect, test } from 'vitest';
import { fileName } from './code-file';

test.each([
  ['python', 'code.py'],
  ['c++', 'code.cpp'],
  ['c#', 'code.cs'],
  ['typescript', 'code.ts'],
  ['tsx', 'code.tsx'],
  ['dockerfile', 'Dockerfile'],
  ['app.py', 'app.py'],
  ['constructor', 'code.txt'],
  ['..', 'code.txt'],
  ['.bashrc', 'code.txt'],
  ['anything', 'code.txt'],
  ['', 'code.txt'],
])('code in %j is saved as %j', (language, name) => {
  expect(fileName(language)).toBe(name);
});
