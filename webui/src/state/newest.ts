/** Requests for what changes: over a slow network, an answer may overtake that to an earlier request, which is of no use then. */
export class Newest {
  private asked = 0;
  private readonly taken = new Map<string, number>();

  /** Ask for something; return the answer, or undefined if a later request for the same was answered meanwhile. */
  async ask<T>(what: string, question: (what: string) => Promise<T>): Promise<T | undefined> {
    const own = ++this.asked;
    const answer = await question(what);
    if (own < (this.taken.get(what) ?? 0)) return undefined;
    this.taken.set(what, own);
    return answer;
  }
}
