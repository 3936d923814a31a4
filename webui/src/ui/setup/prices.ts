/** Prices as they are typed, and what was changed about them. */
import type { Price } from '../../api/types';

const PARTS = ['input', 'output', 'cached_input', 'cache_write'] as const;
type Part = (typeof PARTS)[number];
export type PriceRow = { model: string } & Record<Part, string>;

export function rowsOf(prices: Record<string, Price>): PriceRow[] {
  return Object.entries(prices).map(([model, price]) => {
    const [input, output, cached_input, cache_write] = PARTS.map((part) => String(price[part] ?? ''));
    return { model, input, output, cached_input, cache_write } as PriceRow;
  });
}

/** Return what was changed, or nothing at all if something is no price; a row without one counts as taken away. */
export function changedPrices(
  rows: PriceRow[],
  before: Record<string, Price>,
): Record<string, Price | null> | undefined {
  const after: Record<string, Price> = {};
  for (const row of rows) {
    const told = PARTS.map((part) => [part, row[part].trim().replace(',', '.')] as const).filter(([, text]) => text);
    if (!told.length) continue;
    const price = Object.fromEntries(told.map(([part, text]) => [part, Number(text)])) as unknown as Price;
    const sound = told.every(([, text]) => /^(\d+\.?\d*|\.\d+)$/.test(text)) && 'input' in price && 'output' in price;
    if (!row.model.trim() || !sound) return undefined;
    after[row.model.trim()] = price;
  }
  const same = (a?: Price, b?: Price) => PARTS.every((part) => a?.[part] === b?.[part]);
  const changed = Object.entries(after).filter(([model, price]) => !same(price, before[model]));
  const gone = Object.keys(before).filter((model) => !(model in after));
  return Object.fromEntries([...changed, ...gone.map((model) => [model, null] as const)]);
}
