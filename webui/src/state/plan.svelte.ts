/** How a conversation will be made that does not exist yet. */
import type { Conversation, ConversationSettings } from '../api/types';
import { conversations } from './conversations.svelte';
import { DEFAULT_SETTINGS } from './default-settings';
import { preferences } from './preferences.svelte';
import { providers } from './providers.svelte';
import { recentModels } from './recent-models';
import { requestIds } from './request-ids';

export class Plan {
  private chosen = $state.raw<Partial<ConversationSettings>>({});
  /** The model that was chosen last in this browser: it is kept as long as there is such. */
  private readonly last = recentModels()[0];
  readonly settings = $derived<ConversationSettings>({ ...DEFAULT_SETTINGS, ...this.kept(), ...this.chosen });

  change(fields: Partial<ConversationSettings>): void {
    this.chosen = { ...this.chosen, ...fields };
  }

  /** Make the conversation. Raises Problem. */
  async create(): Promise<Conversation> {
    const settings: Partial<ConversationSettings> = Object.fromEntries(
      Object.entries(this.settings).filter(([, value]) => value !== null),
    );
    const made = await conversations.create(settings, requestIds.for('new', settings));
    requestIds.done('new', settings);
    return made;
  }

  /** What this browser keeps for new chats. */
  private kept(): Partial<ConversationSettings> {
    const instructions = preferences.instructions.trim() ? { system_prompt: preferences.instructions } : {};
    if (!this.last || !providers.offers(this.last)) return instructions;
    return { ...instructions, provider_id: this.last[0], model: this.last[1] };
  }
}
