/** The address of the page: `/` is a new chat, `/c/{id}` a conversation, `#m-{id}` after it a message in it. */

/** A message that an address leads to; each visit is an object of its own. */
export interface MessageAddress {
  readonly id: string;
  /** What was looked for, if a search has led there. */
  readonly query?: string;
}

function idIn(path: string): string | null {
  const match = /^\/c\/([^/]+)\/?$/.exec(path);
  return match?.[1] ? decodeURIComponent(match[1]) : null;
}

function messageIn(hash: string): MessageAddress | null {
  return hash.startsWith('#m-') ? { id: hash.slice(3) } : null;
}

class Router {
  conversationId = $state<string | null>(idIn(location.pathname));
  message = $state.raw<MessageAddress | null>(messageIn(location.hash));

  constructor() {
    addEventListener('popstate', () => {
      this.conversationId = idIn(location.pathname);
      this.message = messageIn(location.hash);
    });
  }

  path(id: string | null, messageId: string | null = null): string {
    if (id === null) return '/';
    return `/c/${encodeURIComponent(id)}${messageId === null ? '' : `#m-${messageId}`}`;
  }

  /** Show a conversation, perhaps at a message where `query` was found, or a new chat. With `replace` the present entry of the history is overwritten. */
  go(id: string | null, replace = false, messageId: string | null = null, query = ''): void {
    if (id === this.conversationId && messageId === null) return;
    const path = this.path(id, messageId);
    if (replace || path === location.pathname + location.hash) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    this.conversationId = id;
    this.message = messageId === null ? null : { id: messageId, query };
  }
}

export const router = new Router();
