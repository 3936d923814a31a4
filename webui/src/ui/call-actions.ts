/** What a person can do about a tool call. */
import type { Approval, Decision } from '../api/types';

export interface CallActions {
  /** Raises Problem. */
  decide: (approval: Approval, decision: Decision) => Promise<void>;
  /** Stop the call with this index. */
  cancel: (index: number) => Promise<boolean>;
}
