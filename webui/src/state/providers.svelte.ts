/** The providers and the models that they list. */
import { providers as api } from '../api/client';
import { Problem } from '../api/http';
import type { Check, Model, NewProvider, Preset, Provider, ProviderChange } from '../api/types';
import { Newest } from './newest';
import { rememberModel, type ModelChoice } from './recent-models';

class Providers {
  items = $state<Provider[]>([]);
  loaded = $state(false);
  models = $state<Record<string, Model[]>>({});
  private readonly newest = new Newest();
  /** How often a list of models was dropped: what was asked for before is of no use. */
  private forgotten = 0;
  readonly standard = $derived(this.items.find((item) => item.is_default) ?? this.items[0]);

  byId(id: string | null): Provider | undefined {
    return id === null ? this.standard : this.items.find((item) => item.id === id);
  }

  /** Whether a model can still be chosen, as far as is known: its provider is there, and lists it unless its name was typed. */
  offers([id, model, typed]: ModelChoice): boolean {
    if (!this.loaded) return true;
    const listed = this.models[id];
    return (
      this.items.some((item) => item.id === id) && (!model || !!typed || !listed || listed.some((m) => m.id === model))
    );
  }

  async load(): Promise<void> {
    const list = await this.newest.ask('list', api.list);
    if (list) this.items = list.items;
    this.loaded = true;
  }

  async loadModels(id: string): Promise<void> {
    if (this.models[id]) return;
    const { forgotten } = this;
    try {
      const { items } = await api.models(id);
      if (forgotten === this.forgotten) this.models[id] = items;
    } catch (error) {
      // The picker then offers what it knows, and takes a name that is typed.
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Return the providers that are known by name. */
  async presets(): Promise<Preset[]> {
    return (await api.presets()).items;
  }

  /** Add a provider; the `notice` of what comes back says why it has no default model. */
  async add(provider: NewProvider): Promise<Provider & { notice?: string }> {
    const made = await api.create(provider);
    if (made.is_default) rememberModel([made.id, null]);
    await this.load();
    return made;
  }

  /** Let a provider answer wherever no other is chosen. */
  makeStandard(id: string): Promise<void> {
    return this.change(id, { is_default: true });
  }

  /** Change a provider; one that becomes the default by it answers in new chats of this browser too. */
  async change(id: string, fields: ProviderChange): Promise<void> {
    const before = this.standard?.id;
    const { is_default } = await api.change(id, fields);
    if (is_default && id !== before) rememberModel([id, null]);
    if ('base_url' in fields || 'api_key' in fields) this.forgetModels(id);
    await this.load();
  }

  async remove(id: string): Promise<void> {
    await api.remove(id);
    this.forgetModels(id);
    await this.load();
  }

  private forgetModels(id: string): void {
    this.forgotten += 1;
    this.models = Object.fromEntries(Object.entries(this.models).filter(([key]) => key !== id));
  }

  test(id: string): Promise<Check> {
    return api.test(id);
  }
}

export const providers = new Providers();
