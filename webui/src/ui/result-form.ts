/** In which form a tool's result is shown: as a table, as folded JSON, or as the text that it is. */
import { isStructure, parseJson, writtenNumber } from './lossless';

export type ResultForm =
  | { kind: 'table'; columns: string[]; rows: Record<string, unknown>[] }
  | { kind: 'json'; value: object }
  | { kind: 'text'; text: string };

/** Longer ones stay text: who shows them would wait for the browser. */
const LONGEST_JSON = 1_000_000;
const MOST_COLUMNS = 12;

export function resultForm(text: string): ResultForm {
  const value = /^\s*[[{]/.test(text) && text.length < LONGEST_JSON ? parseJson(text) : undefined;
  return isStructure(value) ? formOf(value) : { kind: 'text', text };
}

/** Return the form of a value: a list of objects that have much the same flat fields is a table. */
export function formOf(value: object): ResultForm {
  const rows = rowsOf(value);
  const columns = [...new Set(rows?.flatMap((row) => Object.keys(row)))];
  if (!rows || !columns.length || columns.length > MOST_COLUMNS) return { kind: 'json', value };
  const filled = rows.reduce((sum, row) => sum + Object.keys(row).length, 0);
  return filled * 2 < rows.length * columns.length ? { kind: 'json', value } : { kind: 'table', columns, rows };
}

function rowsOf(value: object): Record<string, unknown>[] | undefined {
  if (!Array.isArray(value) || value.length < 2) return undefined;
  return value.every(isFlat) ? value : undefined;
}

function isFlat(item: unknown): item is Record<string, unknown> {
  if (!isStructure(item) || Array.isArray(item)) return false;
  return Object.values(item).every((field) => !isStructure(field));
}

/** Return what a cell of a table says. */
export function cell(value: unknown): string {
  return value === undefined || value === null
    ? ''
    : (writtenNumber(value) ?? String(value as string | number | boolean));
}

const FEW_LINES = 40;
const FEW_CHARACTERS = 4_000;

/** Return the beginning of a long text, or undefined for one that is short enough to be shown. */
export function beginning(text: string): string | undefined {
  let end = 0;
  for (let line = 0; line < FEW_LINES; line++) {
    end = text.indexOf('\n', end) + 1;
    if (!end) break;
  }
  const most = Math.min(end || Infinity, FEW_CHARACTERS);
  return text.length <= most * 1.2 ? undefined : text.slice(0, most).trimEnd();
}
