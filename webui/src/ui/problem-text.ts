/** What a person is told about a problem: the page's own words, and those of the server where they say more. */
import type { Problem } from '../api/http';
import type { Attachments } from '../state/attachments.svelte';
import { toasts } from '../state/toasts.svelte';
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
};

const WITH_DETAIL: Record<string, Words> = {
  body_too_large: 'tooLarge',
  invalid_request: 'refused',
  storage: 'storage',
  tool_server_failed: 'toolServer',
};

export function problemText(problem: Problem): string {
  if (problem.unreachable || (problem.passing && problem.code === 'http_error')) return t.errors.unreachable;
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

/** Tell of a problem at the edge of the page; that the server is away is told as long as it is. */
export function showProblem(problem: Problem): void {
  if (problem.unreachable) toasts.showAway(problemText(problem));
  else toasts.show(problemText(problem));
}
