/** How a conversation will be made that does not exist yet. */
import type { Conversation, ConversationSettings } from '../api/types';
import { conversations } from './conversations.svelte';
import { DEFAULT_SETTINGS } from './default-settings';
import { preferences } from './preferences.svelte';
import { providers } from './providers.svelte';
import { recentModels } from './recent-models';
import { requestIds } from './request-ids';
import { store, stored } from './storage';

/** Where this tab keeps what was chosen. */
const KEPT = 'new-chat';

export class Plan {
  private chosen = $state.raw<Partial<ConversationSettings>>({});
  /** The model that was chosen last in this browser: it is kept as long as there is such. */
  private readonly last = recentModels()[0];
  readonly settings = $derived<ConversationSettings>({ ...this.usual(), ...this.chosen });

  /** `first` says whether there is no conversation yet: only then does it go on with what was chosen before a reload. */
  constructor(first: boolean) {
    if (first) this.chosen = readChosen();
  }

  change(fields: Partial<ConversationSettings>): void {
    const usual = new Map<string, unknown>(Object.entries(this.usual()));
    const chosen = Object.entries({ ...this.chosen, ...fields });
    this.chosen = Object.fromEntries(chosen.filter(([name, value]) => !isSame(value, usual.get(name))));
    this.keep();
  }

  /** Have what was chosen kept until the conversation is made. The model is kept for all new chats. */
  keep(): void {
    const chosen = Object.entries(this.chosen).filter(([name]) => name !== 'provider_id' && name !== 'model');
    store(KEPT, chosen.length ? JSON.stringify(Object.fromEntries(chosen)) : '', 'tab');
  }

  /** Make the conversation. Raises Problem. */
  async create(title: string): Promise<Conversation> {
    const settings: Partial<ConversationSettings> = Object.fromEntries(
      Object.entries(this.settings).filter(([, value]) => value !== null),
    );
    const made = await conversations.create(settings, requestIds.for('new', settings), title);
    requestIds.done('new', settings);
    store(KEPT, '', 'tab');
    return made;
  }

  /** How the conversation would be made if nothing had been chosen for it. */
  private usual(): ConversationSettings {
    return { ...DEFAULT_SETTINGS, ...this.preferred() };
  }

  /** What this browser keeps for new chats. */
  private preferred(): Partial<ConversationSettings> {
    const instructions = preferences.instructions.trim() ? { system_prompt: preferences.instructions } : {};
    if (!this.last || !providers.offers(this.last)) return instructions;
    return { ...instructions, provider_id: this.last[0], model: this.last[1] };
  }
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

function readChosen(): Partial<ConversationSettings> {
  try {
    const found: unknown = JSON.parse(stored(KEPT, 'tab') || '{}');
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(Object.entries(found).filter(([name]) => name in DEFAULT_SETTINGS));
  } catch {
    return {};
  }
}
