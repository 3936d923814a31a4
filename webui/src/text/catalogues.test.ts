/** Every language says everything: same shape, same arguments, nothing left in English. */
import { expect, test } from 'vitest';
import { setup as germanSetup, words as german } from './de';
import { en } from './en';
import { enSetup } from './en-setup';
import { formats } from './format';
import { LOADERS } from './languages';
import { NAMES } from './names';
import { longer, mirrored } from './pseudo';
import { setup as chineseSetup, words as chinese } from './zh';

/** What is the same word in German or in Chinese, or a name. */
const SAME = new Set(
  (
    'language|direction|app|composer.tools|composer.ctrlEnter|general.sizes.normal|question.optional|optional|name|tools.secretName|chat.rulesTool|tabs.tools|' +
    'providers.format|providers.formats.responses|providers.formats.anthropic|providers.formats.gemini|tools.url|' +
    'tools.details|models.offline|tools.headers|code.code|keep.markdown|keep.json|models.abilities.files|shortcuts.groups.2.title'
  ).split('|'),
);
const SAMPLES: unknown[] = ['«first»', '«second»', '«third»'];

type Leaf = string | ((...given: never[]) => string);

/** All texts by their path; the keys of shortcuts are no texts. */
function leaves(part: unknown, path: string[] = []): Map<string, Leaf> {
  if (typeof part === 'string' || typeof part === 'function') return new Map([[path.join('.'), part as Leaf]]);
  const inner = Object.entries(part as object).filter(([name]) => !(path.at(-2) === 'rows' && name === '0'));
  return new Map(inner.flatMap(([name, value]) => [...leaves(value, [...path, name])]));
}

function said(text: Leaf, given: unknown[]): string {
  return typeof text === 'string' ? text : text(...(given as never[]));
}

/** A function that counts has numbers as its arguments: it fails on texts or says that they are no numbers. */
function samplesFor(text: Leaf): unknown[] {
  return said(text, SAMPLES).includes('NaN') || !said(text, SAMPLES).includes('«first»') ? [7, 11, 13] : SAMPLES;
}

const TRANSLATIONS = [
  ['de', en, german],
  ['de, settings', enSetup, germanSetup],
  ['zh', en, chinese],
  ['zh, settings', enSetup, chineseSetup],
  ['longer', en, longer.words],
  ['longer, settings', enSetup, longer.setup],
  ['mirrored', en, mirrored.words],
  ['mirrored, settings', enSetup, mirrored.setup],
] as const;

test.each(TRANSLATIONS)('%s has the texts of English, and puts into them what English does', (_, english, other) => {
  const texts = leaves(other);
  expect([...texts.keys()]).toEqual([...leaves(english).keys()]);
  for (const [path, text] of leaves(english)) {
    const translated = texts.get(path) ?? '';
    expect(typeof translated, path).toBe(typeof text);
    if (typeof text === 'string') continue;
    const given = samplesFor(text);
    const values = given.slice(0, text.length).map(String);
    const shown = said(translated, given);
    for (const value of values)
      if (said(text, given).includes(value)) expect(shown, `${path}: ${shown}`).toContain(value);
  }
});

test.each(TRANSLATIONS)('%s leaves nothing in English, nothing empty, and no space at an end', (_, english, other) => {
  const texts = leaves(other);
  for (const [path, text] of leaves(english)) {
    const given = samplesFor(text);
    const [before, after] = [said(text, given), said(texts.get(path) ?? '', given)];
    if (!SAME.has(path) && /\p{Letter}{3}/u.test(before.replace(/«\w+»/g, ''))) expect(after, path).not.toBe(before);
    if (path !== 'code.image') expect(after, path).toBe(after.trim());
    expect(after === '', path).toBe(before === '');
  }
});

test('amounts, sizes and times are written as the language writes them', () => {
  const [english, deutsch, chinese] = [formats('en'), formats('de', 'short'), formats('zh-Hans')];
  expect(english.plural(1, { one: 'tool', other: 'tools' })).toBe('1 tool');
  expect(english.plural(12_345, { one: 'tool', other: 'tools' })).toBe('12,345 tools');
  expect(deutsch.plural(12_345, { one: 'Quelle', other: 'Quellen' })).toBe('12.345 Quellen');
  expect(chinese.plural(1, { other: '个来源' })).toBe('1 个来源');
  expect([english, deutsch, chinese].map((one) => one.size(1536))).toEqual(['1.5 kB', '1,5 kB', '1.5 kB']);
  expect([english, deutsch, chinese].map((one) => one.size(8))).toEqual(['8 bytes', '8 Byte', '8字节']);
  expect([english, deutsch, chinese].map((one) => one.seconds(2.04))).toEqual(['2\u00a0s', '2 Sek.', '2秒']);
  expect([english, deutsch, chinese].map((one) => one.seconds(125))).toEqual([
    '2 min 5\u00a0s',
    '2 Min. 5 Sek.',
    '2分钟 5秒',
  ]);
  const sums = [0, 0.000_42, 0.0996, 0.5, 1.005, 1234.5].map(english.money);
  expect(sums).toEqual(['$0.00', '$0.00042', '$0.10', '$0.50', '$1.01', '$1,234.50']);
  expect([deutsch, chinese].map((one) => one.money(0.0042))).toEqual(['0,0042\u00a0$', 'US$0.0042']);
  expect([english, deutsch, chinese].map((one) => one.roughly(200_000))).toEqual(['2 days', '2 Tage', '2天']);
});

test('each language that can be chosen is loaded under its own name', async () => {
  for (const code of Object.keys({ ...NAMES, ...LOADERS }))
    expect((await LOADERS[code]?.())?.words.language ?? 'en').toBe(code);
});
