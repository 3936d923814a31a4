/** English in disguise, for tests: longer and with accents as translations are, or written from right to left. */
import { en } from './en';
import { enSetup } from './en-setup';
import type { Language } from './shown.svelte';

const PLAIN = 'aceinosuyzACEINOSUYZ';
const ACCENTED = 'áçéïñöšüýžÁÇÉÏÑÖŠÜÝŽ';
/** Shows Latin letters from right to left, until the second of them. */
const [OVERRIDE, END] = ['\u202e', '\u202c'];

type Disguise = (text: string) => string;

/** A third longer, between brackets that show where a text is cut off. */
function lengthen(text: string): string {
  const accented = [...text].map((sign) => ACCENTED[PLAIN.indexOf(sign)] ?? sign).join('');
  return `[${accented}${' ~~~'.repeat(Math.ceil(text.length / 12))}]`;
}

function mirror(text: string): string {
  return text.replace(/\p{Letter}[\p{Letter}\p{Mark}’]*/gu, (word) => `${OVERRIDE}${word}${END}`);
}

/** Disguise a text but what was put into it. */
function around(text: string, given: unknown[], disguise: Disguise): string {
  const [first, ...rest] = given.filter((value): value is string => typeof value === 'string' && value !== '');
  if (first === undefined) return text && disguise(text);
  return text
    .split(first)
    .map((part) => around(part, rest, disguise))
    .join(first);
}

function disguised<Part>(part: Part, disguise: Disguise): Part;
function disguised(part: unknown, disguise: Disguise): unknown {
  if (typeof part === 'string') return disguise(part);
  if (typeof part === 'function') return (...given: unknown[]) => around(String(part(...given)), given, disguise);
  if (Array.isArray(part))
    return part.map((one: object) =>
      Array.isArray(one) ? [one[0], disguise(String(one[1]))] : disguised(one, disguise),
    );
  return Object.fromEntries(
    Object.entries(part as object).map(([name, value]: [string, unknown]) => [
      name,
      name === 'app' ? value : disguised(value, disguise),
    ]),
  );
}

export const longer: Language = {
  words: { ...disguised(en, lengthen), language: 'en-XA', direction: 'ltr' },
  setup: disguised(enSetup, lengthen),
};

export const mirrored: Language = {
  words: { ...disguised(en, mirror), language: 'en-XB', direction: 'rtl' },
  setup: disguised(enSetup, mirror),
};
