/** The address of the page: `/` is a new chat, `/c/{id}` a conversation. */

function idIn(path: string): string | null {
  const match = /^\/c\/([^/]+)\/?$/.exec(path);
  return match?.[1] ? decodeURIComponent(match[1]) : null;
}

class Router {
  conversationId = $state<string | null>(idIn(location.pathname));

  constructor() {
    addEventListener('popstate', () => (this.conversationId = idIn(location.pathname)));
  }

  path(id: string | null): string {
    return id === null ? '/' : `/c/${encodeURIComponent(id)}`;
  }

  /** Show a conversation, or a new chat. With `replace` the present entry of the history is overwritten. */
  go(id: string | null, replace = false): void {
    if (id === this.conversationId) return;
    if (replace) history.replaceState(null, '', this.path(id));
    else history.pushState(null, '', this.path(id));
    this.conversationId = id;
  }
}

export const router = new Router();
