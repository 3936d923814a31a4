/** Mathematics; loaded with its style sheet when the first formula is there. */
import katex from 'katex';
import styles from 'katex/dist/katex.min.css?url';

export type DrawFormula = (element: Element, tex: string, display: boolean) => void;

/** Return the function that draws formulas, as soon as their style sheet is there. Raises Error if it cannot be had. */
export async function loadFormulas(): Promise<DrawFormula> {
  await loadStyles();
  return drawFormula;
}

function loadStyles(): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = styles;
    link.onload = () => resolve();
    link.onerror = () => {
      link.remove();
      reject(new Error('The style sheet for formulas cannot be had.'));
    };
    document.head.append(link);
  });
}

/** KaTeX writes in this colour, which nobody would choose, what it does not do: links, images and attributes of HTML. */
const REFUSED = '#010203';

/** Draw the formula into `element`. A formula that KaTeX cannot read, or that would do more than to show, leaves its source standing. */
function drawFormula(element: Element, tex: string, display: boolean): void {
  const box = document.createElement('span');
  try {
    katex.render(tex, box, {
      displayMode: display,
      throwOnError: true,
      trust: false,
      strict: false,
      maxExpand: 500,
      maxSize: 20,
      errorColor: REFUSED,
    });
  } catch {
    box.replaceChildren();
  }
  if (box.firstChild && !box.querySelector(`[mathcolor='${REFUSED}']`)) element.replaceChildren(...box.childNodes);
  else element.classList.add('bad-tex');
}
