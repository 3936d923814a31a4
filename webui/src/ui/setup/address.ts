/** Addresses as people type them, completed to those that can be asked. */

const SCHEME = /^[a-z][a-z0-9+.-]*:\/|^https?:/i;
const PRIVATE_IPV4 = /^(?:127|10)\.|^192\.168\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^0\.0\.0\.0$/;
const PRIVATE_IPV6 = /^\[(?:::1?\]|f[cd]|fe[89ab])/;
const PRIVATE_NAME = /^[^.]+$|\.(?:localhost|local|internal|lan|home\.arpa)$/;

/**
 * Return an address with its scheme: https, or http for this machine and a private network, where certificates are rare. What has a
 * scheme, and what is no address, stays as it is.
 */
export function completed(typed: string): string {
  const text = typed.trim();
  if (!text || SCHEME.test(text)) return text;
  const bare = text.replace(/^\/+/, '');
  const host = hostOf(bare);
  return host === undefined ? text : `${isPrivate(host) ? 'http' : 'https'}://${bare}`;
}

function hostOf(bare: string): string | undefined {
  if (/\s/.test(bare)) return undefined;
  try {
    return new URL(`http://${bare}`).hostname;
  } catch {
    return undefined;
  }
}

function isPrivate(host: string): boolean {
  if (host.startsWith('[')) return PRIVATE_IPV6.test(host);
  return PRIVATE_IPV4.test(host) || PRIVATE_NAME.test(host);
}
