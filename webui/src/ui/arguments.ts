/** Reading a tool call's arguments and results for people. */
import { isStructure, parseJson, writtenNumber } from './lossless';

export interface ArgumentRow {
  name: string;
  value: string;
  /** Whether the value is a text of several lines, such as code. */
  block: boolean;
}

/** Return the arguments by name, or undefined if the text is no JSON object. */
export function argumentRows(text: string): ArgumentRow[] | undefined {
  const value = parseObject(text);
  return (
    value &&
    Object.entries(value).map(([name, item]) => {
      const shown = typeof item === 'string' ? item : JSON.stringify(item, null, 2);
      return { name, value: shown, block: shown.includes('\n') };
    })
  );
}

/** Characters that are not seen, or that reorder what is: with them a text can look like another one. */
const DECEPTIVE = /(?![\t\n]|\u{fe0f})[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{2800}]/gu;

/** Return the text with such characters written out, as JSON would write them. */
export function visible(text: string): string {
  return text.replace(DECEPTIVE, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}

/** Return the object that a person wrote as JSON, or undefined. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  const value = parseJson(text.trim() || '{}');
  return isStructure(value) && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

/** Whether arguments are those that the model wrote, in whatever order. */
export function sameArguments(given: Record<string, unknown>, written: string): boolean {
  return canonical(given) === canonical(parseJson(written.trim() || '{}'));
}

/** Whether a text says nothing but this value. */
export function sameJson(value: unknown, text: string): boolean {
  return canonical(value) === canonical(parseJson(text));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    const number = writtenNumber(item);
    if (number !== undefined) return Number(number);
    return isStructure(item) && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item;
  });
}

/** Return the arguments on one line, as far as they fit. */
export function summary(text: string): string {
  const rows = argumentRows(text);
  const line = rows ? rows.map((row) => row.value).join(', ') : text;
  return line.replace(/\s+/g, ' ').slice(0, 120);
}

/** How a result begins for the model if a person has changed the arguments. */
const EDITED = '[The person changed the arguments to ';

/** Return the result of a call whose arguments a person has changed, without the line that says so. */
export function withoutEdit(text: string): string {
  return text.startsWith(EDITED) ? text.slice(text.indexOf('\n') + 1) : text;
}

/** A longer result is not read as JSON for its short form. */
const MOST_READ = 100_000;

/** Return a result on one line, for who does not unfold it: how many entries a list has, what an object holds, how a text begins. */
export function brief(text: string, entries: (count: number) => string): string {
  const value = /^\s*[[{]/.test(text) && text.length <= MOST_READ ? parseJson(text) : undefined;
  const list = Array.isArray(value) ? value : onlyList(value);
  if (list) return entries(list.length);
  const line = value === undefined ? text : held(value as object);
  return cut(visible(line.slice(0, 400).replace(/\s+/g, ' ').trim()), 120);
}

/** Return the list that is all that an object holds, such as its `results`. */
function onlyList(value: unknown): unknown[] | undefined {
  const [item, ...others] = Object.values(Object(value) as object) as unknown[];
  return Array.isArray(item) && !others.length ? item : undefined;
}

function held(value: object): string {
  return Object.values(value)
    .map((item: unknown) => (typeof item === 'string' ? item : JSON.stringify(item)))
    .join(', ');
}

/** Return the first line that says something, with the next if it only announces that; as much as a line can hold. */
export function firstLine(text: string): string {
  const [first = '', next = ''] = text
    .trimStart()
    .slice(0, 1000)
    .split(/\s*\n\s*/, 2);
  return cut(visible(first.endsWith(':') ? `${first} ${next}` : first).trimEnd(), 400);
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).trimEnd()} …` : text;
}
