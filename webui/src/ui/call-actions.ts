/** What a person can do about a tool call. */
import type { Approval, Decision } from '../api/types';

export interface CallActions {
  /** Return whether the decision was taken. */
  decide: (approval: Approval, decision: Decision) => Promise<boolean>;
  /** Stop the call with this index. */
  cancel: (index: number) => Promise<boolean>;
}
