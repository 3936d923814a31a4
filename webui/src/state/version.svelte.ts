/** Whether the server has another build of the page than the one that is shown, and the worker that opens the page without a server. */

class Version {
  outdated = $state(false);

  /** A part that cannot be had may be gone with its build. */
  watch(): void {
    addEventListener('vite:preloadError', () => void this.check());
    if (document.readyState === 'complete') register();
    else addEventListener('load', register);
  }

  /** Ask the server which build it has. */
  async check(): Promise<void> {
    const entry = document.querySelector('script[type=module]')?.getAttribute('src');
    const served = await fetch('/', { cache: 'no-cache', headers: { Accept: 'text/html' } }).catch(() => undefined);
    const html = served?.ok ? await served.text().catch(() => '') : '';
    // What stands between may answer with a page of its own.
    if (entry && html.includes('id="app"')) this.outdated = !html.includes(entry);
  }
}

/** Not before the page is there: it is for the next visit. Browsers have workers on localhost and by https only. */
function register(): void {
  if (import.meta.env.PROD && 'serviceWorker' in navigator)
    void navigator.serviceWorker
      .register('/sw.js')
      .then((found) => found.update())
      .catch(() => undefined);
}

export const version = new Version();
