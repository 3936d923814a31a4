/** What a provider said about a failure, without what the page says beside it in its own words. */

/** Of these the server says nothing that the page does not say. */
const SAID: ReadonlySet<string> = new Set([
  ...['answer_incomplete', 'answer_too_long', 'internal', 'max_iterations', 'turn_abandoned'],
]);
/** How the server begins: with what the title says, and the status of the provider's answer. */
const HEAD =
  /^The (?:conversation is too long for the model|provider (?:refused the API key|limits requests|wants payment|took too long|has a problem|refused the request))(?: \((\d{3})\))?(: |\. ?)/;
/** How it ends: with what the buttons and the advice say. */
const HINT =
  /(?:^| )(?:Try again (?:later|a little later|in [\w ]+)|Check this provider's key|Start a new conversation, shorten the message, or choose a model with a larger window)\.$/;

/** Return what is left to be said of `content`, what the server tells of a failure of this kind; '' if nothing is. */
export function reasonOf(code: string, content: string): string {
  if (SAID.has(code)) return '';
  const own = content.replace(HINT, '');
  const head = HEAD.exec(own);
  const rest = head ? own.slice(head[0].length) : own;
  const status = head?.[1] && rest ? `${head[1]} · ` : '';
  return (status + rest).replace(/(\d) (?=(?:m?s|min|h|[KMG]B)\b)/g, '$1\u00a0');
}
