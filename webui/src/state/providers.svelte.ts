/** The providers and the models that they list. */
import { providers as api } from '../api/client';
import { Problem } from '../api/http';
import type { Model, NewProvider, Provider, ProviderTest } from '../api/types';

class Providers {
  items = $state<Provider[]>([]);
  loaded = $state(false);
  models = $state<Record<string, Model[]>>({});
  readonly standard = $derived(this.items.find((item) => item.is_default) ?? this.items[0]);

  byId(id: string | null): Provider | undefined {
    return id === null ? this.standard : this.items.find((item) => item.id === id);
  }

  async load(): Promise<void> {
    this.items = (await api.list()).items;
    this.loaded = true;
  }

  async loadModels(id: string): Promise<void> {
    if (this.models[id]) return;
    try {
      this.models[id] = (await api.models(id)).items;
    } catch (error) {
      // The picker then offers what it knows, and takes a name that is typed.
      if (!(error instanceof Problem)) throw error;
    }
  }

  async add(provider: NewProvider): Promise<Provider> {
    const made = await api.create(provider);
    await this.load();
    return made;
  }

  async makeDefault(id: string): Promise<void> {
    await api.change(id, { is_default: true });
    await this.load();
  }

  async remove(id: string): Promise<void> {
    await api.remove(id);
    this.models = Object.fromEntries(Object.entries(this.models).filter(([key]) => key !== id));
    await this.load();
  }

  test(id: string): Promise<ProviderTest> {
    return api.test(id);
  }
}

export const providers = new Providers();
