/** Command lines as people type them: words, and quotes around those that hold spaces. */

/** Return the words of a command line; undefined if a quote is left open. Nothing in it is expanded. */
export function splitCommand(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (char === '\\' && quote !== "'" && /["'\\\s]/.test(line.charAt(i + 1))) word = (word ?? '') + line.charAt(++i);
    else if (quote) {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return quote ? undefined : words;
}

/** Return the command line that `splitCommand` takes apart into these words. */
export function joinCommand(words: string[]): string {
  return words.map((word) => (/^[^\s"'\\]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
