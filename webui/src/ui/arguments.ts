/** Reading a tool call's arguments and results for people. */

export interface ArgumentRow {
  name: string;
  value: string;
  /** Whether the value is a text of several lines, such as code. */
  block: boolean;
}

/** Return the arguments by name, or undefined if the text is no JSON object. */
export function argumentRows(text: string): ArgumentRow[] | undefined {
  const value = parse(text.trim() || '{}');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).map(([name, item]) => {
    const shown = typeof item === 'string' ? item : JSON.stringify(item, null, 2);
    return { name, value: shown, block: shown.includes('\n') };
  });
}

/** Return JSON set out over lines; any other text as it is. */
export function prettyResult(text: string): string {
  const value = /^\s*[[{]/.test(text) && text.length < 100_000 ? parse(text) : undefined;
  return value === undefined ? text : JSON.stringify(value, null, 2);
}

/** Return the arguments on one line, as far as they fit. */
export function summary(text: string): string {
  const rows = argumentRows(text);
  const line = rows ? rows.map((row) => row.value).join(', ') : text;
  return line.replace(/\s+/g, ' ').slice(0, 120);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
