/** What a person is told about a problem. */
import type { Problem } from '../api/http';
import { t } from '../text';

export function problemText(problem: Problem): string {
  if (problem.unreachable) return t.errors.unreachable;
  if (problem.needsOwner) return t.errors.needsOwner;
  return problem.message || t.errors.unexpected;
}
