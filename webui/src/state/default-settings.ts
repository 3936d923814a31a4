/** What holds for a conversation for which nothing was chosen. */
import type { ConversationSettings } from '../api/types';

export const DEFAULT_SETTINGS: ConversationSettings = {
  system_prompt: null,
  provider_id: null,
  model: null,
  temperature: null,
  max_tokens: null,
  tools_enabled: true,
  thinking: null,
  rules: [],
};
