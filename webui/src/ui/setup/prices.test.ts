import { expect, test } from 'vitest';
import { s } from '../../text/setup';
import { changedPrices, rowsOf, type PriceRow } from './prices';

const BEFORE = { big: { input: 3, output: 15, cached_input: 0.3 }, small: { input: 0.1, output: 0.4 } };
const row = (model: string, input: string, output: string, cached_input = '', cache_write = ''): PriceRow => ({
  model,
  input,
  output,
  cached_input,
  cache_write,
});

test('what nobody touched is not changed', () => {
  expect(changedPrices(rowsOf(BEFORE), BEFORE)).toEqual({});
  expect(changedPrices([], {})).toEqual({});
});

test('only the models that changed are named, and those that are gone are taken away', () => {
  const [big] = rowsOf(BEFORE) as [PriceRow];
  expect(changedPrices([{ ...big, cached_input: '' }], BEFORE)).toEqual({ big: { input: 3, output: 15 }, small: null });
  expect(changedPrices([{ ...big, model: ' larger ' }], BEFORE)).toEqual({
    larger: BEFORE.big,
    big: null,
    small: null,
  });
});

test('a price may be nothing, and has a comma or a point', () => {
  expect(changedPrices([row('m', '0', '0,50', '.1', '1.')], {})).toEqual({
    m: { input: 0, output: 0.5, cached_input: 0.1, cache_write: 1 },
  });
});

test('a row without a price is left out', () => {
  expect(changedPrices([row(' ', '', ' '), row('m', '', '')], {})).toEqual({});
});

test.each([
  row('m', '1', ''),
  row('', '1', '2'),
  row('m', '-1', '2'),
  row('m', '1', '2', 'free'),
  row('m', '1e3', '2'),
  row('m', '1.000,5', '2'),
  row('m', '', '', '1'),
])('what is no price is none: %o', (entered) => {
  expect(changedPrices([entered], {})).toBe(s.providers.priceInvalid);
});

test('a comma that may set apart thousands is not guessed at', () => {
  expect(changedPrices([row('m', '1,000', '2')], {})).toBe(s.providers.priceUnclear('1,000'));
  expect(changedPrices([row('m', '0,075', '1000,125')], {})).toEqual({ m: { input: 0.075, output: 1000.125 } });
});

test('two prices of one model are told, not chosen from', () => {
  expect(changedPrices([row('m', '1', '2'), row(' m ', '3', '4')], {})).toBe(s.providers.priceTwice('m'));
  expect(changedPrices([row('m', '1', '2'), row('m', '', '')], {})).toEqual({ m: { input: 1, output: 2 } });
});

test('a price of any size is shown in digits, and hinders nothing', () => {
  const before = { tiny: { input: 1e-7, output: 0.1 }, huge: { input: 1e21, output: 123456.789 } };
  expect(rowsOf(before)).toEqual([
    row('tiny', '0.0000001', '0.1'),
    row('huge', '1000000000000000000000', '123456.789'),
  ]);
  expect(changedPrices(rowsOf(before), before)).toEqual({});
  const [tiny, huge] = rowsOf(before) as [PriceRow, PriceRow];
  expect(changedPrices([{ ...tiny, output: '0.2' }, huge], before)).toEqual({
    tiny: { input: 1e-7, output: 0.2 },
  });
});
