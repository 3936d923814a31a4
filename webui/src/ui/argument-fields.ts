/** The arguments of a call as fields that a person can change. */
import { visible } from './arguments';
import { exactJson, isCode, isExact } from './exact-arguments';
import { parseJson, writtenNumber } from './lossless';

export interface ArgumentField {
  name: string;
  /** `json` is for structures, for nothing (null), and for texts with characters that a field would hide. */
  kind: 'text' | 'code' | 'number' | 'check' | 'json';
  given: unknown;
  /** What is in the field at first. */
  initial: Entry;
}

/** What is in a field: a text, also of numbers and structures, or a tick. */
export type Entry = string | boolean;
/** What is wrong with an entry. */
export type Fault = 'number' | 'json';

/** As JSON writes numbers, since that is how the tool gets them. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;

export function argumentFields(given: Record<string, unknown>): ArgumentField[] {
  return Object.entries(given).map(([name, value]) => {
    if (typeof value === 'boolean') return { name, kind: 'check', given: value, initial: value };
    const written = writtenNumber(value) ?? (typeof value === 'number' ? String(value) : undefined);
    if (written !== undefined) return { name, kind: 'number', given: value, initial: written };
    if (typeof value !== 'string' || hides(value))
      return { name, kind: 'json', given: value, initial: exactJson(value) };
    return { name, kind: isCode(name, value) ? 'code' : 'text', given: value, initial: value };
  });
}

/** Return the arguments that the entries make; or what is wrong, by the place of the field. */
export function readFields(
  fields: readonly ArgumentField[],
  entries: readonly Entry[],
): { given: Record<string, unknown>; faults: Record<number, Fault> } {
  const faults: Record<number, Fault> = {};
  const given = fields.map((field, i): [string, unknown] => {
    const { value, fault } = read(field, entries[i] ?? field.initial);
    if (fault) faults[i] = fault;
    return [field.name, value];
  });
  return { given: Object.fromEntries(given), faults };
}

function read(field: ArgumentField, entry: Entry): { value?: unknown; fault?: Fault } {
  if (entry === field.initial && typeof field.given === 'number' && !isExact(field.given)) return { fault: 'number' };
  // What nobody has touched is sent as it came, to the last line end.
  if (entry === field.initial) return { value: field.given };
  if (typeof entry === 'boolean') return { value: entry };
  if (field.kind === 'number') return readNumber(entry.trim());
  if (field.kind === 'json') return readJson(entry);
  return { value: String(field.given).includes('\r\n') ? entry.replace(/\r?\n/g, '\r\n') : entry };
}

/** A whole number that cannot be held exactly would become another one. */
function readNumber(text: string): { value?: number; fault?: Fault } {
  const value = Number(text);
  return NUMBER.test(text) && isExact(value) ? { value } : { fault: 'number' };
}

function readJson(text: string): { value?: unknown; fault?: Fault } {
  const value = parseJson(text);
  return value === undefined ? { fault: 'json' } : { value };
}

/** Whether a field would not show all of a text; ends of lines as Windows writes them are kept. */
function hides(text: string): boolean {
  const lines = text.replaceAll('\r\n', '\n');
  return visible(lines) !== lines;
}
