/** Arguments as a person decides about them: nothing is hidden, and nothing looks like something else. */
import { visible, type ArgumentRow } from './arguments';
import { isStructure, parseJson } from './lossless';

/** Return a value as JSON that hides nothing; a person may change it and it is still the same JSON. */
export function exactJson(value: unknown): string {
  return visible(JSON.stringify(value, null, 2));
}

export interface ExactRow extends ArgumentRow {
  /** Whether each character counts: code, a command, an address, a structure. */
  code: boolean;
}

/** Return arguments as they are, for a person to decide about: texts as one reads them, structures as JSON. */
export function exactRows(given: Record<string, unknown>): ExactRow[] {
  return Object.entries(given).map(([name, item]) => {
    const value = typeof item === 'string' && !isMistakable(item) ? item : sign(item) + exactJson(item);
    const code = typeof item === 'string' ? isCode(name, item) : isStructure(item);
    return { name: visible(name), value, block: value.includes('\n'), code };
  });
}

/** A number that this browser could not keep as it was written is shown as what it is: about as much. */
function sign(item: unknown): string {
  return typeof item === 'number' && !isExact(item) ? '≈ ' : '';
}

/** Whether a number is surely the one that was written. */
export function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

/** What arguments are called whose value is not prose. */
const CODES = new Set(
  `args argv cmd code command commands css cwd directory expression file filename glob host html javascript json path
  pattern paths python query regex script shell sql uri url urls xml yaml`.split(/\s+/),
);

/** Whether a text is code or the like: by the name of its argument, by lines that are set in, or because it is an address. */
export function isCode(name: string, value: string): boolean {
  const words = name.split(/[^\p{Letter}]+|(?<=\p{Ll})(?=\p{Lu})/u).map((word) => word.toLowerCase());
  return words.some((word) => CODES.has(word)) || /\n[ \t]+\S/.test(value) || /^[a-z][a-z\d+.-]*:\/\/\S+$/i.test(value);
}

/** Whether a text without its quotes would be taken for nothing, for JSON, for one without its edges, or for one without hidden characters. */
function isMistakable(text: string): boolean {
  const edges = !text.includes('\n') && text !== text.trim();
  return edges || !text.trim() || parseJson(text) !== undefined || visible(text) !== text;
}
