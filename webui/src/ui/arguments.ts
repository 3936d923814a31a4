/** Reading a tool call's arguments and results for people. */

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
const DECEPTIVE = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Return the text with such characters written out, as JSON would write them. */
export function visible(text: string): string {
  return text.replace(DECEPTIVE, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}

/** Return the object that a person wrote as JSON, or undefined. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  const value = parse(text.trim() || '{}');
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : undefined;
}

/** Whether arguments are those that the model wrote, in whatever order. */
export function sameArguments(given: Record<string, unknown>, written: string): boolean {
  return canonical(given) === canonical(parse(written.trim() || '{}'));
}

/** Whether a text says nothing but this value. */
export function sameJson(value: unknown, text: string): boolean {
  return canonical(value) === canonical(parse(text));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
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

/** Return the beginning of a result on one line, for who does not unfold it. */
export function brief(text: string): string {
  return cut(visible(text.slice(0, 400).replace(/\s+/g, ' ').trim()), 120);
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

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
