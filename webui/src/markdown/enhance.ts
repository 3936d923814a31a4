/** What is added to finished markup later: syntax colours and drawn formulas, each from a part loaded when first needed. */
import { lazy } from './lazy';
import { markRendered } from './morph';
import { toElements } from './sanitize';

const LONGEST_HIGHLIGHT = 200_000;

const loadDraw = lazy(async () => (await import('./katex')).loadFormulas());
const loadHighlight = lazy(async () => (await import('./highlight')).highlight);

type Draw = Awaited<ReturnType<typeof loadDraw>>;
let draw: Draw | undefined;

function drawOne(draw: Draw, element: Element): void {
  if (element.firstElementChild) return;
  const tex = element.textContent;
  draw(element, tex, element.classList.contains('display'));
  markRendered(element, tex);
}

/** Draw the formulas in `root`, itself included. */
export async function drawMath(root: Element): Promise<void> {
  const formulas = [...root.querySelectorAll('.math')];
  if (root.classList.contains('math')) formulas.push(root);
  if (!formulas.length) return;
  // Once it is there, formulas in growing text are drawn at once: a frame of delay would show their source.
  draw ??= await loadDraw();
  for (const element of formulas) drawOne(draw, element);
}

function isSelected(element: Element): boolean {
  const selection = getSelection();
  return !!selection && !selection.isCollapsed && selection.containsNode(element, true);
}

/** Resolve when no selection touches the element: colouring replaces its text nodes, which would take the selection away. */
function unselected(element: Element): Promise<void> {
  if (!isSelected(element)) return Promise.resolve();
  return new Promise((resolve) => {
    const check = () => {
      if (isSelected(element)) return;
      document.removeEventListener('selectionchange', check);
      resolve();
    };
    document.addEventListener('selectionchange', check);
  });
}

async function colourOne(code: Element): Promise<void> {
  const language = /(?:^| )language-(\S+)/.exec(code.className)?.[1];
  const text = code.textContent;
  if (!language || text.length > LONGEST_HIGHLIGHT) return;
  const highlight = await loadHighlight();
  await unselected(code);
  const html = await highlight(text, language);
  if (html === undefined || code.textContent !== text) return;
  const [coloured] = toElements(`<code>${html}</code>`);
  if (coloured?.textContent === text) code.replaceChildren(...coloured.childNodes);
}

/** Colour the code blocks in `root`. */
export async function colourCode(root: Element): Promise<void> {
  await Promise.all([...root.querySelectorAll('pre > code')].map(colourOne));
}
