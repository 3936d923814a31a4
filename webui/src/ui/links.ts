/** Addresses that others have written. */

/** Return an address that may be opened, taken apart; undefined for all that is no web address. */
export function webAddress(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && (url.protocol === 'https:' || url.protocol === 'http:') && url.host ? url : undefined;
}
