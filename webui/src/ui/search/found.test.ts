import { expect, test } from 'vitest';
import { patternOf, placesIn } from './found';

/** Return what is found in an answer, and in which nodes it begins and ends. */
function found(html: string, query: string): string[] {
  const root = document.createElement('article');
  root.innerHTML = `<div class="answer-text">${html}</div>`;
  const pattern = patternOf(query);
  const places = pattern ? placesIn(root, pattern) : [];
  return places.map(
    (range) => `${range.startContainer.textContent}>${range.endContainer.textContent}: ${range.toString()}`,
  );
}

test.each(['e-mail', '2026-11-22', '"a - b"', String.raw`\^$.*+?()[]{}|/-`, '-'])(
  '%s is found as it stands',
  (query) => {
    const said = query.replaceAll('"', '');
    expect(found(`<p>${said}</p>`, query)).toEqual([`${said}>${said}: ${said}`]);
  },
);

test('nothing is looked for without a word', () => {
  expect([patternOf(''), patternOf(' "" " ')]).toEqual([null, null]);
});

test('places are in their nodes, in the order of the text, and in no more than one block', () => {
  const html = '<p>one <b>o</b><i></i>n<i>e o</i></p><p>ne</p><p></p><p><b>on</b>e</p>';
  expect(found(html, 'one')).toEqual(['one >one : one', 'o>e o: one', 'on>e: one']);
});
