/**
 * The text of an answer as a person takes it away: what the model said before and after a tool stands apart. The server's `text` is what was
 * streamed, with nothing between.
 */

interface Said {
  type: string;
  call: number;
  text: string;
}

/**
 * Join the texts of an answer's steps, which come in order, with blank lines. But where a model call was cut and the next one, with no tool in
 * between, goes on with its last text, there is nothing between the two.
 */
export function answerText(steps: Iterable<Said>): string {
  let joined = '';
  let last = 0;
  let lastWithTool = 0;
  for (const { type, call, text } of steps) {
    if (type === 'tool_call' || type === 'tool_result') lastWithTool = call;
    if (type !== 'text' || !text) continue;
    const goesOn = lastWithTool < last && last < call;
    if (joined && !goesOn) joined += blankLine(joined, text);
    joined += text;
    last = call;
  }
  return joined;
}

/** Return what is missing of a blank line between two texts. */
function blankLine(before: string, after: string): string {
  const there = (/\n{0,2}$/.exec(before.slice(-2))?.[0].length ?? 0) + (/^\n{0,2}/.exec(after)?.[0].length ?? 0);
  return '\n'.repeat(Math.max(0, 2 - there));
}
