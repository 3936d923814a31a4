/** Servers that bring tools: MCP servers, and web services with an OpenAPI document. */
import { json, send } from './http';
import type { Asks, Check, ToolEffect } from './types';

export interface McpServer {
  id: string;
  name: string;
  kind: 'stdio' | 'http';
  command: string | null;
  args: string[];
  cwd: string | null;
  url: string | null;
  has_secrets: boolean;
  /** The names of its variables or headers; only of a single one. */
  secrets: string[];
  trusted: boolean;
  enabled: boolean;
  status: {
    state: 'stopped' | 'running' | 'failed';
    error: string | null;
    /** A page on which the person has to log in first. */
    login_url: string | null;
    title: string | null;
    instructions: string | null;
    tools: number | null;
    left_out: number;
    /** Which tools were left out, and what was loosened in others, in words. */
    problems: string[];
    /** What its program wrote to standard error last; only of a single one. */
    log: string[];
  };
}

/** A text with blanks that a server offers. */
export interface McpPrompt {
  name: string;
  title: string | null;
  description: string | null;
  arguments: { name: string; description: string | null; required: boolean }[];
}

export type Secrets = Record<string, string>;

export interface McpServerFields {
  name?: string;
  command?: string;
  args?: string[];
  cwd?: string | null;
  env?: Secrets;
  url?: string;
  headers?: Secrets;
  client_id?: string;
  client_secret?: string;
  trusted?: boolean;
  enabled?: boolean;
}

export interface OpenApiServer {
  id: string;
  name: string;
  /** Where its document lies, if it was fetched. */
  url: string | null;
  base_url: string;
  has_secrets: boolean;
  trusted: boolean;
  enabled: boolean;
}

export interface OpenApiDetail extends OpenApiServer {
  secrets: string[];
  title: string;
  operations: {
    tool: string;
    method: string;
    path: string;
    description: string;
    effect: ToolEffect;
    asks: Asks;
  }[];
  left_out: string[];
}

export interface OpenApiFields {
  name?: string;
  url?: string;
  document?: string;
  base_url?: string;
  secrets?: Secrets;
  trusted?: boolean;
  enabled?: boolean;
}

export interface Refreshed {
  change: { added: string[]; removed: string[]; changed: string[] };
  /** The document names another origin now, which gets neither the secrets nor the trust. */
  moved: boolean;
  server: OpenApiDetail;
}

const MCP = '/api/mcp-servers';
const OPENAPI = '/api/openapi-servers';

const at = (base: string, id: string, what = '') => `${base}/${encodeURIComponent(id)}${what}`;

export const mcpServers = {
  list: () => json<{ items: McpServer[] }>(MCP),
  get: (id: string) => json<McpServer>(at(MCP, id)),
  create: (body: McpServerFields) => json<McpServer>(MCP, { method: 'POST', body }),
  change: (id: string, body: McpServerFields) => json<McpServer>(at(MCP, id), { method: 'PATCH', body }),
  remove: (id: string) => send(at(MCP, id), { method: 'DELETE' }),
  test: (id: string) => json<Check>(at(MCP, id, '/test'), { method: 'POST', body: {} }),
  prompts: (id: string) => json<{ items: McpPrompt[] }>(at(MCP, id, '/prompts')),
  prompt: (id: string, name: string, given: Record<string, string>) =>
    json<{ messages: { role: string; text: string }[] }>(at(MCP, id, '/prompts'), {
      method: 'POST',
      body: { name, arguments: given },
    }),
};

export const openApiServers = {
  list: () => json<{ items: OpenApiServer[] }>(OPENAPI),
  get: (id: string) => json<OpenApiDetail>(at(OPENAPI, id)),
  create: (body: OpenApiFields) => json<OpenApiDetail>(OPENAPI, { method: 'POST', body }),
  change: (id: string, body: OpenApiFields) => json<OpenApiDetail>(at(OPENAPI, id), { method: 'PATCH', body }),
  remove: (id: string) => send(at(OPENAPI, id), { method: 'DELETE' }),
  refresh: (id: string, document?: string) =>
    json<Refreshed>(at(OPENAPI, id, '/refresh'), { method: 'POST', body: document === undefined ? {} : { document } }),
};
