/** The second line of defence: every piece of markup passes DOMPurify with a short list before it enters the page. */
import createDOMPurify, { type Config } from 'dompurify';

const purify = createDOMPurify(window);

const CONFIG: Config & { RETURN_DOM_FRAGMENT: true } = {
  ALLOWED_TAGS: [
    ...['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'hr', 'pre', 'code', 'div', 'span'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td', 'a', 'strong', 'em', 'del', 'br', 'sup', 'input', 'button'],
  ],
  ALLOWED_ATTR: [
    'class',
    'href',
    'title',
    'target',
    'rel',
    'start',
    'type',
    'checked',
    'disabled',
    'tabindex',
    'dir',
    'aria-label',
  ],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  // Without this DOMPurify holds every attribute but a few to the rule for addresses.
  ADD_URI_SAFE_ATTR: ['target', 'rel', 'start', 'type', 'checked', 'disabled', 'tabindex', 'dir', 'aria-label'],
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
  RETURN_DOM_FRAGMENT: true,
};

// DOMPurify takes `target` away unless it is named as safe for links; the renderer always writes `rel` beside it.
purify.addHook('uponSanitizeAttribute', (_node, data) => {
  if (data.attrName === 'target' && data.attrValue === '_blank') data.forceKeepAttr = true;
});

/** Return the elements of the markup. `selector` names whose children are wanted, for rows and items that need a parent. */
export function toElements(html: string, selector?: string): Element[] {
  const fragment = purify.sanitize(html, CONFIG);
  const parent = selector ? fragment.querySelector(selector) : fragment;
  return parent ? [...parent.children] : [];
}
