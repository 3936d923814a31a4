/** Whether there is a server that may offer prompts; asked for when somebody begins to write. */
import { mcpServers } from '../../api/tool-servers';
import { Problem } from '../../api/http';

let asked: Promise<boolean> | undefined;

export function anyPrompts(): Promise<boolean> {
  return (asked ??= ask());
}

async function ask(): Promise<boolean> {
  try {
    const { items } = await mcpServers.list();
    const any = items.some((server) => server.enabled);
    if (!any) asked = undefined;
    return any;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    asked = undefined;
    return false;
  }
}
