/** The models that were chosen last, in this browser: new chats begin with the latest. */
import { storeList, storedList } from './storage';

const KEPT = 'models';
const MOST = 4;

/** A model by its provider's id; null is the provider's default. One whose name was typed need not be in the provider's list. */
export type ModelChoice = [providerId: string, model: string | null, typed?: boolean];

/** Return the models that were chosen last, the latest first. */
export function recentModels(): ModelChoice[] {
  return storedList(KEPT).filter(isChoice).slice(0, MOST);
}

export function rememberModel(choice: ModelChoice): void {
  const others = recentModels().filter(([id, name]) => id !== choice[0] || name !== choice[1]);
  storeList(KEPT, [choice, ...others].slice(0, MOST));
}

function isChoice(item: unknown): item is ModelChoice {
  return Array.isArray(item) && typeof item[0] === 'string' && (typeof item[1] === 'string' || item[1] === null);
}
