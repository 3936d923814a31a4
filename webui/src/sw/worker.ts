/**
 * Opens the page when its server cannot be reached. It keeps the document and the hashed files of this build and of the one before,
 * which may still be open in a tab. All else, as what the API or a shared link says, goes past it and is never kept here.
 */
import type { FetchEvent, InstallEvent, WorkerScope } from './scope';

/** Filled in by the build, of which `id` tells whether anything has changed. */
declare const BUILD: { id: string; entry: string; files: string[] };

const PREFIX = 'luxx-page-';
const CACHE = PREFIX + BUILD.id;
const DOCUMENT = '/';
/** A server that is slower than this is taken for one that is away. */
const PATIENCE_MS = 3_000;

const worker = self as unknown as WorkerScope;

worker.addEventListener('install', (event) => {
  void worker.skipWaiting();
  event.waitUntil(install(event));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(activate());
});

worker.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== location.origin) return;
  if (pathname.startsWith('/assets/')) event.respondWith(file(event.request));
  else if (mode === 'navigate' && isPlace(pathname)) event.respondWith(place(event));
});

async function install(event: InstallEvent): Promise<void> {
  await event.addRoutes?.([{ condition: { urlPattern: '/api/*' }, source: 'network' }]).catch(() => undefined);
  const cache = await caches.open(CACHE);
  const html = await fetch(DOCUMENT, { cache: 'no-cache', headers: { Accept: 'text/html' } });
  const isOurs = html.ok && (await html.clone().text()).includes(BUILD.entry);
  if (!isOurs) throw new Error('The document is of another build.');
  await cache.put(DOCUMENT, html);
  // One after the other: what the page asks for meanwhile finds a free connection.
  for (const name of BUILD.files) await cache.add(new Request(name, { priority: 'low' }));
}

async function activate(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
  await worker.registration.navigationPreload.enable().catch(() => undefined);
  await worker.clients.claim();
}

/** Whether the page itself understands this path: see `state/router`. */
function isPlace(pathname: string): boolean {
  return pathname === '/' || /^\/c\/[^/]+\/?$/.test(pathname);
}

/** A hashed file never changes, so one that is there is right. */
async function file(request: Request): Promise<Response> {
  const kept = await caches.match(request.url, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.status === 200) {
    const copy = response.clone();
    await caches
      .open(CACHE)
      .then((cache) => cache.put(request.url, copy))
      .catch(() => undefined); // The disk is full: the file is shown all the same.
  }
  return response;
}

/** The document as the server has it; the kept one if that is not to be had soon. */
async function place(event: FetchEvent): Promise<Response> {
  const served = fromServer(event).catch(() => undefined);
  const soon = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE_MS));
  const answer = await Promise.race([served, soon]);
  if (answer && answer.status < 500) return answer;
  const cache = await caches.open(CACHE);
  return (await cache.match(DOCUMENT, { ignoreVary: true })) ?? (await served) ?? Response.error();
}

async function fromServer(event: FetchEvent): Promise<Response> {
  const answer = await event.preloadResponse;
  // Asked for as the worker's own: passed on, a link from another site would look like a request of that site.
  return answer ?? (await fetch(event.request.url, { headers: { Accept: 'text/html' }, redirect: 'manual' }));
}
