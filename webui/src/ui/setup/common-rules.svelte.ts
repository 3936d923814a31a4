/** The rules on tools that hold in all chats of this person: as they are on the server, and as they are being edited. */
import { tools as api } from '../../api/client';
import type { ToolInfo, ToolRule } from '../../api/types';
import { merged, withHolding, type Holding } from '../../state/tool-rules';

class CommonRules {
  stored = $state.raw<ToolRule[]>([]);
  edited = $state.raw<ToolRule[]>([]);
  loaded = $state(false);
  readonly differs = $derived(JSON.stringify(this.edited) !== JSON.stringify(this.stored));
  private last: Promise<unknown> = Promise.resolve();

  /** Read them anew. Raises Problem. */
  async load(): Promise<void> {
    this.edited = this.stored = (await api.rules()).items;
    this.loaded = true;
  }

  /** Store what was edited, and leave what was changed elsewhere meanwhile. Raises Problem. */
  async save(): Promise<void> {
    const { items } = await api.rules();
    this.edited = this.stored = (await api.setRules(merged(this.edited, this.stored, items))).items;
  }

  reset(): void {
    this.edited = this.stored;
  }

  /** Have calls of a tool treated so, also by rules that are still being edited; one after the other. Raises Problem. */
  choose(tool: Pick<ToolInfo, 'name' | 'asks'>, wanted: Holding): Promise<void> {
    const choosing = this.last.then(() => this.put(tool, wanted));
    this.last = choosing.catch(() => undefined);
    return choosing;
  }

  private async put(tool: Pick<ToolInfo, 'name' | 'asks'>, wanted: Holding): Promise<void> {
    const { items } = await api.rules();
    const stored = (await api.setRules(withHolding(items, tool, wanted))).items;
    this.edited = this.differs ? withHolding(this.edited, tool, wanted) : stored;
    this.stored = stored;
  }
}

export const commonRules = new CommonRules();
