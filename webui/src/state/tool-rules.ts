/** What rules say of tools, as the server has it (`luxx.core.rules`): the first rule that fits counts. */
import type { Asks, RuleAction, ToolRule } from '../api/types';

/** One sign of a pattern, or a choice of signs; a bracket that is never closed is a sign itself. */
const PART = /\[(!|(?!!))(\][^\]]*|[^\]]+)\]|[^]/g;

/** Whether a name fits a pattern; `*`, `?`, `[abc]` and `[!abc]` are those of a shell. */
export function fits(pattern: string, name: string): boolean {
  /** How much of the name may be behind the parts so far. */
  let places = [0];
  for (const [part, not, choice] of pattern.matchAll(PART)) {
    if (part === '*') {
      const least = places[0] ?? Infinity;
      places = [...name, ''].map((_, at) => at).filter((at) => at >= least);
    } else {
      const one = choice === undefined ? undefined : choiceOf(!!not, choice);
      const fitting = (sign: string) => (one ? one.test(sign) : part === '?' || part === sign);
      places = places.filter((at) => at < name.length && fitting(name.charAt(at))).map((at) => at + 1);
    }
  }
  return places.includes(name.length);
}

/** A choice of signs and of ranges; a range that ends before it begins has none. */
function choiceOf(not: boolean, choice: string): RegExp {
  const signs = choice.replace(/([^])-([^])|[^]/g, (part, from?: string, to?: string) => {
    if (from === undefined || to === undefined) return escaped(part);
    return from > to ? '' : `${escaped(from)}-${escaped(to)}`;
  });
  return new RegExp(`[${not ? '^' : ''}${signs}]`);
}

function escaped(sign: string): string {
  return sign.replace(/[\\^\]-]/, '\\$&');
}

/** Return the rule that counts for a tool, if there is one. */
export function ruleFor(rules: readonly ToolRule[], tool: string): ToolRule | undefined {
  return rules.find((rule) => fits(rule.tool, tool));
}

/** What becomes of a tool's calls: `depends` is what the tool itself decides for each. */
export type Holding = RuleAction | 'depends';

const BY_ITSELF: Record<Asks, Holding> = { always: 'ask', never: 'allow', depends: 'depends' };

interface Ruled {
  name: string;
  asks: Asks;
}

/** What holds for a tool: what the rules say, or else what it does by itself. */
export function holding(rules: readonly ToolRule[], tool: Ruled): Holding {
  return ruleFor(rules, tool.name)?.action ?? BY_ITSELF[tool.asks];
}

/** The rules but for those of exactly this tool. */
export function rulesBut(rules: readonly ToolRule[], tool: Ruled): ToolRule[] {
  return rules.filter((rule) => rule.tool !== tool.name);
}

/** Return the rules with one for exactly this tool, right before the one that counted so far; without one if that does as well. */
export function withHolding(rules: readonly ToolRule[], tool: Ruled, wanted: Holding): ToolRule[] {
  const others = rulesBut(rules, tool);
  if (wanted === 'depends' || wanted === holding(others, tool)) return others;
  const before = ruleFor(others, tool.name);
  return others.toSpliced(before ? others.indexOf(before) : others.length, 0, { tool: tool.name, action: wanted });
}

/** Return the rules as they were edited, with what has become of them elsewhere since they were read as `base`. */
export function merged(edited: readonly ToolRule[], base: readonly ToolRule[], now: readonly ToolRule[]): ToolRule[] {
  const has = (rules: readonly ToolRule[], rule: ToolRule) =>
    rules.some(({ tool, action }) => tool === rule.tool && action === rule.action);
  const kept = edited.filter((rule) => has(now, rule) || !has(base, rule));
  const come = now.filter((rule) => !has(base, rule) && !kept.some(({ tool }) => tool === rule.tool));
  return [...come, ...kept];
}
