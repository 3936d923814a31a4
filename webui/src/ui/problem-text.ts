/** What a person is told about a problem: the page's own words, and those of the server where they say more. */
import type { Problem } from '../api/http';
import type { Attachments } from '../state/attachments.svelte';
import { link } from '../state/link.svelte';
import { STAY_MS, STAY_WHEN_BACK_MS, toasts } from '../state/toasts.svelte';
import { t } from '../text';
import { visible } from './arguments';

type Words = Exclude<keyof typeof t.errors, 'unexpected'>;

const KNOWN: Record<string, Words> = {
  not_found: 'notFound',
  turn_ended: 'tooLate',
  already_decided: 'tooLate',
  not_running: 'tooLate',
  queue_full: 'queueFull',
  file_in_use: 'fileInUse',
  too_many_streams: 'busy',
  too_many_turns: 'busy',
  draining: 'restarting',
  starting: 'restarting',
  upload_broken: 'uploadBroken',
};

const WITH_DETAIL: Record<string, Words> = {
  body_too_large: 'tooLarge',
  invalid_request: 'refused',
  storage: 'storage',
  tool_server_failed: 'toolServer',
};

export function problemText(problem: Problem): string {
  if (problem.unreachable) return t.errors.unreachable;
  if (problem.needsOwner) return t.errors.needsOwner;
  if (problem.code === 'turn_running') return t.composer.busy;
  if (problem.code === 'internal') return t.turn.codes.internal ?? t.errors.unexpected;
  const known = KNOWN[problem.code];
  if (known) return t.errors[known];
  const detailed = WITH_DETAIL[problem.code];
  const words = detailed ? t.errors[detailed] : t.turn.codes[problem.code];
  return [words, problem.message].filter(Boolean).join(' ') || t.errors.unexpected;
}

/** Why its files hold a message back until something is done about them, '' if they do not. */
export function badFiles({ refused, failed }: Attachments): string {
  if (refused) return t.composer.refusedFile(visible(refused.name));
  return failed ? t.composer.failedFile : '';
}

/** Whether it is over when the server is there again: what is said of it is to go by itself. */
export function passes(problem: Problem): boolean {
  return problem.unreachable || KNOWN[problem.code] === 'restarting';
}

/** The words on a problem where something was tried, as long as they are true: of a server that is back nothing is said. */
export function toldOf(problem: Problem | string): string {
  if (typeof problem === 'string') return problem;
  return problem.unreachable && !link.lost ? '' : problemText(problem);
}

/** Tell of a problem at the edge of the page; that the server is away, or restarts, is told as long as it does. */
export function showProblem(problem: Problem): void {
  const text = problemText(problem);
  if (passes(problem)) toasts.showPassing(text, problem.unreachable ? STAY_WHEN_BACK_MS : STAY_MS);
  else toasts.show(text);
}
