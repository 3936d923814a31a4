/** JSON whose numbers stay as they are written: a script's own numbers round ids of many digits, and 1.10 is 1.1 to them. */

/** A number as it is written, where the browser can keep it; JSON.stringify writes it so. */
interface Written {
  readonly rawJSON: string;
}

interface Reviver {
  (key: string, value: unknown, context?: { source?: string }): unknown;
}

const json = JSON as unknown as {
  parse: (text: string, reviver: Reviver) => unknown;
  rawJSON?: (text: string) => Written;
  isRawJSON?: (value: unknown) => value is Written;
};

/** Read JSON; undefined if it is none. */
export function parseJson(text: string): unknown {
  try {
    return json.parse(text, (_, value, context) => {
      const source = typeof value === 'number' ? context?.source : undefined;
      return source === undefined || source === String(value) ? value : (json.rawJSON?.(source) ?? value);
    });
  } catch {
    return undefined;
  }
}

/** Whether a value is an object or a list, and not a number that is kept as it was written. */
export function isStructure(value: unknown): value is object {
  return typeof value === 'object' && value !== null && writtenNumber(value) === undefined;
}

/** Return the number as it is written, if the value is such. */
export function writtenNumber(value: unknown): string | undefined {
  return json.isRawJSON?.(value) ? value.rawJSON : undefined;
}
