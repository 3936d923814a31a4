/** jsdom loads no style sheets, and so never says that one is there. Here each one is there at once. */
new MutationObserver((records) => {
  for (const node of records.flatMap((record) => [...record.addedNodes])) {
    if (node instanceof HTMLLinkElement) node.dispatchEvent(new Event('load'));
  }
}).observe(document.head, { childList: true });
