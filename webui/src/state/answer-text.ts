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
 * Follows the steps of an answer, in order, and tells where a text goes on with the last one: where a model call was cut and a later one, with
 * no tool in between, goes on.
 */
export class Seams {
  private last = 0;
  private lastWithTool = 0;

  /** Whether a text may still come that goes on with the last one. */
  get open(): boolean {
    return this.lastWithTool < this.last;
  }

  /** Take a tool call or a result. */
  tool(call: number): void {
    this.lastWithTool = call;
  }

  /** Take a text. Return whether it goes on with the last one. */
  text(call: number): boolean {
    const goesOn = this.open && this.last < call;
    this.last = call;
    return goesOn;
  }
}

/** Join the texts of an answer's steps, which come in order, with blank lines, but for those that go on with the last one. */
export function answerText(steps: Iterable<Said>): string {
  const seams = new Seams();
  let joined = '';
  for (const { type, call, text } of steps) {
    if (type === 'tool_call' || type === 'tool_result') seams.tool(call);
    if (type !== 'text' || !text) continue;
    if (!seams.text(call) && joined) joined += blankLine(joined, text);
    joined += text;
  }
  return joined;
}

/** Return what is missing of a blank line between two texts. */
function blankLine(before: string, after: string): string {
  const there = (/\n{0,2}$/.exec(before.slice(-2))?.[0].length ?? 0) + (/^\n{0,2}/.exec(after)?.[0].length ?? 0);
  return '\n'.repeat(Math.max(0, 2 - there));
}
