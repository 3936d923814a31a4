/** Prices as they are typed, and what was changed about them. */
import type { Price } from '../../api/types';
import { s } from '../../text/setup';

const PARTS = ['input', 'output', 'cached_input', 'cache_write'] as const;
type Part = (typeof PARTS)[number];
export type PriceRow = { model: string } & Record<Part, string>;

const NUMBER = /^(\d+[.,]?\d*|[.,]\d+)$/;
/** A thousand and something to one reader, one and something to another. */
const EITHER = /^[1-9]\d{0,2},\d{3}$/;

export function rowsOf(prices: Record<string, Price>): PriceRow[] {
  return Object.entries(prices).map(([model, price]) => {
    const [input, output, cached_input, cache_write] = PARTS.map((part) => digits(price[part]));
    return { model, input, output, cached_input, cache_write } as PriceRow;
  });
}

/** Return a number as it is typed, without an exponent however small it is. */
function digits(value: number | null | undefined): string {
  return value?.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 20 }) ?? '';
}

/** Return what was changed, or what is wrong in words; a row without a price counts as taken away, one that nobody touched is right. */
export function changedPrices(rows: PriceRow[], before: Record<string, Price>): Record<string, Price | null> | string {
  const after = new Map<string, Price>();
  for (const row of rows) {
    if (!PARTS.some((part) => row[part].trim())) continue;
    const model = row.model.trim();
    if (after.has(model)) return s.providers.priceTwice(model);
    const known = before[model];
    const price = known && PARTS.every((part) => row[part] === digits(known[part])) ? known : priceOf(row);
    if (typeof price === 'string') return price;
    after.set(model, price);
  }
  const same = (a: Price, b?: Price) => PARTS.every((part) => a[part] === b?.[part]);
  const changed = [...after].filter(([model, price]) => !same(price, before[model]));
  const gone = Object.keys(before).filter((model) => !after.has(model));
  return Object.fromEntries([...changed, ...gone.map((model) => [model, null] as const)]);
}

/** Return the price that was typed, or what is wrong with it. */
function priceOf(row: PriceRow): Price | string {
  const told = PARTS.map((part) => [part, row[part].trim()] as const).filter(([, text]) => text);
  const unclear = told.find(([, text]) => EITHER.test(text));
  if (unclear) return s.providers.priceUnclear(unclear[1]);
  const price = Object.fromEntries(told.map(([part, text]) => [part, Number(text.replace(',', '.'))]));
  const { input, output } = price;
  const sound = row.model.trim() && told.every(([, text]) => NUMBER.test(text));
  if (!sound || input === undefined || output === undefined) return s.providers.priceInvalid;
  return { ...price, input, output };
}
