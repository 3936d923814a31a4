/** Changes a node in place into another of the same shape, so that selections, focus and clicks under way survive. */

function sameAttributes(from: Element, to: Element): void {
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
}

function morphText(from: Text, to: Text): void {
  if (from.data === to.data) return;
  if (to.data.startsWith(from.data)) from.appendData(to.data.slice(from.data.length));
  else from.data = to.data;
}

/** The source of a formula that is rendered already, kept so that it is not rendered again while the text around it grows. */
const rendered = new WeakMap<Element, string>();

export function markRendered(element: Element, source: string): void {
  rendered.set(element, source);
}

/** Make `from` equal to `to` where that is possible, else put `to` in its place. Return the node that stands there then. */
export function morph(from: Node, to: Node): Node {
  if (from instanceof Text && to instanceof Text) {
    morphText(from, to);
    return from;
  }
  const movable = from instanceof Element && to instanceof Element && from.nodeName === to.nodeName;
  const source = from instanceof Element ? rendered.get(from) : undefined;
  if (!movable || (source !== undefined && source !== to.textContent)) {
    from.parentNode?.replaceChild(to, from);
    return to;
  }
  sameAttributes(from, to);
  if (source === undefined) morphChildren(from, 0, [...to.childNodes]);
  return from;
}

/** Make the children of `parent` from the place `start` on equal to `nodes`. Return the nodes that stand there then. */
export function morphChildren(parent: Node, start: number, nodes: Node[]): Node[] {
  const placed = nodes.map((node, i) => {
    const old = parent.childNodes[start + i];
    return old ? morph(old, node) : parent.appendChild(node);
  });
  while (parent.childNodes.length > start + nodes.length) parent.lastChild?.remove();
  return placed;
}
