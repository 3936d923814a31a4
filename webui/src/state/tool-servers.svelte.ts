/** The tools that there are, and the servers that bring them. */
import { tools as toolsApi } from '../api/client';
import { mcpServers, openApiServers, type McpServer, type OpenApiServer } from '../api/tool-servers';
import type { ToolInfo } from '../api/types';
import { Newest } from './newest';

/** Tools by who brought them, in their order. */
export function bySource(tools: readonly ToolInfo[]): [source: string, tools: ToolInfo[]][] {
  return [...new Set(tools.map(({ source }) => source))].map((source) => [
    source,
    tools.filter((tool) => tool.source === source),
  ]);
}

class ToolServers {
  tools = $state.raw<ToolInfo[]>([]);
  mcp = $state.raw<McpServer[]>([]);
  openApi = $state.raw<OpenApiServer[]>([]);
  loaded = $state(false);
  private readonly newest = new Newest();

  /** Read everything anew. Raises Problem. */
  async load(): Promise<void> {
    const lists = () => Promise.all([toolsApi.list(), mcpServers.list(), openApiServers.list()]);
    const read = await this.newest.ask('all', lists);
    if (!read) return;
    const [tools, mcp, openApi] = read;
    this.tools = tools.items;
    this.mcp = mcp.items;
    this.openApi = openApi.items;
    this.loaded = true;
  }

  /** The tools that a server of this name brought. */
  broughtBy(name: string): ToolInfo[] {
    return this.tools.filter((tool) => tool.source === name);
  }
}

export const toolServers = new ToolServers();
