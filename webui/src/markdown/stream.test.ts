import { describe, expect, test } from 'vitest';
import { HtmlRenderer } from './html';
import { lex } from './lexer';
import { toElements } from './sanitize';
import { MarkdownStream } from './stream';

const LABELS = { copy: 'Copy', wrap: 'Wrap lines', save: 'Download', image: 'Image: ', code: 'Code' };

/** Render in one go, without the streaming machinery: the reference. */
function atOnce(text: string): string {
  const renderer = new HtmlRenderer(LABELS);
  const html = lex(text.replace(/\r\n?/g, '\n'), {}, false)
    .tokens.map((token) => renderer.block(token))
    .join('');
  const host = document.createElement('div');
  host.append(...toElements(html));
  return host.innerHTML;
}

/** The blocks that are shown, without the sections in which they stand. */
function blocksIn(host: HTMLElement): string {
  return [...host.children].map((section) => section.innerHTML).join('');
}

function inPieces(pieces: string[]): { host: HTMLElement; stream: MarkdownStream } {
  const host = document.createElement('div');
  const stream = new MarkdownStream(host, LABELS);
  for (const piece of pieces) {
    stream.append(piece);
    stream.flush();
  }
  stream.finish();
  return { host, stream };
}

const SAMPLES: Record<string, string> = {
  prose:
    'Hello **bold** and *it*, `code` and ~~no~~.\nSecond line  \nbroken.\n\nNext *para* with [a link](https://example.org/a_b "t").\n',
  headings: '# One\ntext\n## Two ##\nSetext\n===\n\nOther\n---\nafter\n***\nend',
  tight: 'Items:\n- one\n- two **b**\n  - nested\n  - more\n- three\n\nAfter the list.\n',
  loose: '1. first\n\n   more of it\n\n2. second\n3. third\n\n\n10) other kind\n11) next\n\nEnd',
  numbers: '1. a\n\n2. b\n\n2 is a number\n\n3. c\n',
  tasks: '- [ ] open\n- [x] done\n- [X] done too\n- plain\n\n- [ ] loose\n',
  table: 'Text\n\n| a | b |\n|---|:-:|\n| 1 | **2** |\n| 3 | 4 |\n| 5 |\n\nafter\n\n| x |\n|--|\nrow without pipes\n',
  halfTable: 'a | b\nno table\n\n| lone | line |\n\n| h1 | h2 |\n|----|\nno\n',
  fence:
    'Look:\n```python\nprint("hi")\n\n\ndef f():\n    return `1`\n```\nafter\n\n~~~\ntilde\n```\n~~~\n\n````md\n```js\n1\n```\n````\n',
  longFence:
    'a\n```py\n1\n2\n3\n4\n5\n6\n7\n8\n9\n```\n- i\n  ```\n  1\n\n\n\n\n\n\n\n  9\n  ```\n\n```\n1\n2\n3\n4\n5\n6\n7\n8\n```\n```\n\n\n\n\n\n\n\n\n9',
  openFence: '```js\nconst a = 1;\n\n``\n',
  fenceWithBlankEnd: '```\na\n\n```\n\n```\n\n```\n\n```x\n```\nend',
  indentedFence: '  ```js\n  a\n    b\n  ```\n\n1. item\n   ```sh\n   ls **x\n   ```\n2. next\n',
  indented: 'para\n\n    code\n\n    more\n\ntext\n    lazy\n',
  quote: '> quoted *text*\nlazy\n> - list\n>\n> ```\n> code\n> ```\n\n> another\n\ntext',
  maths:
    'Sum $x^2$ and \\(a_b\\), then\n$$\n\\int_0^1\n+ x\n- y\n$$\nmore\n\n\\[\n E = mc^2\n\\]\n\n$5 and $6 stay, $$inline$$ too.\n\n$$ never closed\n\nend $x',
  mathsThenText: 'text\n$$x$$ trailing\n\ntext\n$$\ny\n$$\n- list\n\n$$\nz\n',
  html: '<div onclick="x()">\n**a**\n</div>\n\n<script>alert(1)</script>\n\na <b>c</b> <br> d<br/>e &amp; &lt; <!-- no -->\n\ntext\n<div>x</div>\nmore\n',
  links:
    'See [one][a], [b] and ![pic][a], [none] too.\n\n- item [b]\n- item [c]\n- x\n\n| t |\n|---|\n| [c] |\n| y |\n\n[a]: https://a.example "A"\n[b]: <https://b.example>\n\nlater [c]\n\n[c]: https://c.example\n',
  footnotes: 'A note[^1] and [^two].\n\n[^1]: The first *note*\n[^two]: Second\nwith a line\n\nEnd\n',
  notesAndLinks:
    'See[^1], [a], [b][] and [c].\n\n[^1]: Note with [a]\n[a]: https://a.example\n[^2]: Two\nlines\n[b]: https://b.example\n- item\n\n[^3]: x\n```\n[c]: no\n```\n[^4]: y\n[c] is: text\n',
  urls: 'https://example.org/x?a=1&b=2, www.example.org and me@example.org. <https://auto.example>\n',
  rules: 'a\n\n---\n\n* * *\n- x\n- - -\n- y\n___\n',
  deep: '- a\n  1. b\n\n     c\n     - d\n\n       e\n- f\n\n      code\n- g\n> q\n',
  emptyItems: '-\n- a\n-\n\n- \n  b\n+ c\n+\n\n1.\n2. x\n',
  returns: 'a\r\nb\r\n\r\n- c\r\n- d\r\n\r\n```\r\nx\r\n```\r\n',
  unicode: '你好 **世界** 👩‍👩‍👧 \u{1F600}\n\n- مرحبا\n- ok\n',
  underscores: 'snake_case_name and __init__ and 2*3*4 ** x ** *a\n\n**unclosed\n\n`open\n\n[half](http://',
};

describe('a text that comes in pieces ends as the same DOM as the whole text', () => {
  for (const [name, text] of Object.entries(SAMPLES)) {
    test(`${name}, cut in two at every position`, () => {
      const expected = atOnce(text);
      for (let i = 0; i <= text.length; i++) {
        expect(blocksIn(inPieces([text.slice(0, i), text.slice(i)]).host), `cut at ${i}`).toBe(expected);
      }
    });

    test(`${name}, one character at a time`, () => {
      expect(blocksIn(inPieces([...text]).host)).toBe(atOnce(text));
    });
  }

  test('samples one after the other, in pieces of many sizes', () => {
    const names = Object.keys(SAMPLES);
    for (let seed = 1; seed <= 40; seed++) {
      const random = generator(seed);
      const order = Array.from({ length: 4 }, () => names[Math.floor(random() * names.length)] ?? '');
      const text = order.map((name) => SAMPLES[name]).join(random() < 0.5 ? '\n' : '\n\n');
      expect(blocksIn(inPieces(pieces(text, random)).host), order.join(', ')).toBe(atOnce(text));
    }
  });

  test('lines shuffled at random', () => {
    const lines = Object.values(SAMPLES).flatMap((text) => text.split('\n'));
    for (let seed = 1; seed <= 250; seed++) {
      const random = generator(seed);
      const text = Array.from({ length: 12 }, () => lines[Math.floor(random() * lines.length)]).join('\n');
      expect(blocksIn(inPieces(pieces(text, random)).host), JSON.stringify(text)).toBe(atOnce(text));
    }
  });
});

/** A small deterministic generator of numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

function pieces(text: string, random: () => number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const size = 1 + Math.floor(random() * 12);
    parts.push(text.slice(at, at + size));
    at += size;
  }
  return parts;
}
