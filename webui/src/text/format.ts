/** Numbers, amounts, sizes and stretches of time as a language writes them. */

type Display = 'narrow' | 'short' | 'long';
/** A word in the forms that a language has for amounts; those without a form of their own take `other`. */
type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** `display` is how the units of time are written. */
export function formats(locale: string, display: Display = 'narrow') {
  const rules = new Intl.PluralRules(locale);
  const number = (n: number): string => n.toLocaleString(locale);
  const choose = (n: number, forms: Forms): string => forms[rules.select(n)] ?? forms.other;

  function unit(n: number, name: string, unitDisplay: Display, digits: [number, number]): string {
    const [minimumFractionDigits, maximumFractionDigits] = digits;
    return n.toLocaleString(locale, {
      style: 'unit',
      unit: name,
      unitDisplay,
      minimumFractionDigits,
      maximumFractionDigits,
    });
  }

  /** A minute is never only an “m”, and what is Latin stands a little apart from its number. */
  const whole = (n: number, name: string, digits: [number, number] = [0, 0]): string =>
    unit(n, name, name === 'minute' ? 'short' : display, digits).replace(/(\d)(?=[a-z])/g, '$1\u00a0');

  return {
    number,
    /** How much a model reads, as its makers say it in all languages: 128K, be it a power of two or of ten. */
    compact: (n: number): string =>
      (n % 1000 ? (n / 1024) * 1000 : n).toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 }),
    /** One of the forms, without the number. */
    choose,
    /** The number and one of the forms. */
    plural: (n: number, forms: Forms): string => `${number(n)} ${choose(n, forms)}`,
    /** US dollars; of little, as many places as tell something: $0.0042. */
    money(dollars: number): string {
      const places = dollars > 0 ? Math.min(Math.max(1 - Math.floor(Math.log10(dollars)), 2), 12) : 2;
      return dollars.toLocaleString(locale, {
        style: 'currency',
        currency: 'USD',
        minimumFractionDigits: 2,
        maximumFractionDigits: places,
      });
    },
    size(bytes: number): string {
      if (bytes < 1000) return unit(bytes, 'byte', 'long', [0, 0]);
      const [value, name] = bytes < 1e6 ? [bytes / 1e3, 'kilobyte'] : [bytes / 1e6, 'megabyte'];
      return unit(value, name, 'short', [0, value < 10 ? 1 : 0]);
    },
    /** How long something took or has taken: in whole seconds, but for less than one. */
    seconds(s: number): string {
      if (s < 0.95) return whole(s, 'second', [1, 1]);
      const all = Math.round(s);
      return all < 60 ? whole(all, 'second') : `${whole(Math.floor(all / 60), 'minute')} ${whole(all % 60, 'second')}`;
    },
    /** How long something will take, in one unit. */
    roughly(s: number): string {
      if (s < 60) return whole(Math.ceil(s), 'second');
      if (s < 5400) return whole(Math.round(s / 60), 'minute');
      return s < 172_800 ? whole(Math.round(s / 3600), 'hour') : unit(Math.round(s / 86_400), 'day', 'long', [0, 0]);
    },
  };
}
