/**
 * A server that speaks docs/api.md as far as the page needs it, with scripted answers: for work on the page without the backend.
 * It serves the built page too, under the same content security policy. `FAKE_OWNER=1` makes it ask for the owner's secret,
 * `FAKE_CUT=1500` breaks every stream after so many milliseconds.
 */
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seed, Store, turnRef } from './store.mjs';

const PORT = Number(process.env.FAKE_PORT ?? 8431);
const CUT_MS = Number(process.env.FAKE_CUT ?? 0);
const PAGE = fileURLToPath(new URL('../../src/luxx/http/page', import.meta.url));
const TYPES = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.svg': 'image/svg+xml',
    '.woff2': 'font/woff2',
};
const POLICY =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const store = new Store();
seed(store);

class HttpError extends Error {
    constructor(status, code, detail) {
        super(detail);
        Object.assign(this, { status, code });
    }
}

const found = (value) => {
    if (!value) throw new HttpError(404, 'not_found', 'There is no such thing.');
    return value;
};

const byTime = (a, b) => b.updated_at.localeCompare(a.updated_at);

function listConversations({ query }) {
    const words = (query.get('q') ?? '').toLowerCase();
    const all = [...store.conversations.values()]
        .filter((item) => item.title.toLowerCase().includes(words))
        .filter((item) => !query.has('pinned') || item.pinned === (query.get('pinned') === 'true'))
        .sort(byTime);
    const from = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit') ?? 50);
    return {
        items: all.slice(from, from + limit).map((item) => store.view(item)),
        next_cursor: from + limit < all.length ? String(from + limit) : null,
    };
}

function createConversation({ body }) {
    const fields = { ...body };
    delete fields.client_request_id;
    return store.view(store.createConversation(fields));
}

function listMessages({ id, query }) {
    const conversation = found(store.conversations.get(id));
    const path = store.branch(query.get('leaf') ?? conversation.leaf_id);
    const limit = Number(query.get('limit') ?? 50);
    const place = (name) => {
        const at = path.findIndex((message) => message.id === query.get(name));
        if (at < 0) throw new HttpError(404, 'not_found', 'There is no such message on this branch.');
        return at;
    };
    let end = path.length;
    if (query.has('before')) end = place('before');
    else if (query.has('after')) end = Math.min(end, place('after') + 1 + limit);
    else if (query.has('around')) end = Math.min(end, place('around') + 1 + Math.floor(limit / 2));
    const start = query.has('after') ? place('after') + 1 : Math.max(0, end - limit);
    const items = path.slice(start, end).map((message) => store.messageView(message));
    return { items, has_more: start > 0, has_newer: end < path.length };
}

function patchConversation({ id, body }) {
    const conversation = found(store.conversations.get(id));
    const { leaf_id: leaf, ...fields } = body;
    Object.assign(conversation, fields, fields.title ? { title_source: 'user' } : {});
    if (leaf) conversation.leaf_id = store.leafBelow(found(store.messages.get(leaf)).id);
    store.notify('conversation_changed', id);
    return store.view(conversation);
}

function deleteConversation({ id }) {
    found(store.conversations.get(id));
    store.conversations.delete(id);
    store.notify('conversation_deleted', id);
}

function postMessage({ id, body }) {
    const conversation = found(store.conversations.get(id));
    if (!body.text?.trim()) throw new HttpError(422, 'invalid_request', 'text: must not be empty');
    if (body.text === 'refuse') throw new HttpError(503, 'storage', 'The disk is full.');
    const parent = body.parent_id === undefined ? conversation.leaf_id : body.parent_id;
    return store.startTurn(conversation, store.addMessage(id, parent, 'user', body.text));
}

function again({ id }, keep) {
    const message = found(store.messages.get(id));
    const steps = keep ? store.messageView(message).steps : [];
    return store.startTurn(
        store.conversations.get(message.conversation_id),
        store.messages.get(message.parent_id),
        steps,
    );
}

/** The same request id gives the same turn. */
function once(context, start) {
    const key = context.body.client_request_id;
    const turn = store.requests.get(key) ?? start(context);
    if (key) store.requests.set(key, turn);
    context.turn = turn;
    return streamTurn(context, turn, 0);
}

function openStream({ response }, headers = {}) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', ...headers });
    if (CUT_MS) setTimeout(() => response.destroy(), CUT_MS).unref();
    const beat = setInterval(() => response.write(': keep-alive\n\n'), 15_000);
    response.on('close', () => clearInterval(beat));
}

function streamTurn(context, turn, after) {
    const { response } = context;
    openStream(context, { 'Luxx-Turn-Id': turn.id, 'Content-Location': `/api/turns/${turn.id}/events` });
    const write = ({ seq, name, data }) => {
        response.write(`id: ${seq}\nevent: ${name}\ndata: ${data}\n\n`);
        if (['done', 'error', 'cancelled'].includes(name)) response.end();
    };
    turn.log.slice(after).forEach(write);
    if (turn.ended) return response.end();
    turn.readers.add(write);
    response.on('close', () => turn.readers.delete(write));
}

function followTurn(context) {
    const turn = found(store.turns.get(context.id));
    const after = Number(context.request.headers['last-event-id'] ?? context.query.get('after') ?? 0);
    if (after > turn.seq) throw new HttpError(409, 'ahead_of_log', 'That is beyond the log.');
    if (turn.ended && after === turn.seq) return context.response.writeHead(204).end();
    streamTurn(context, turn, after);
}

function streamNotices(context) {
    openStream(context);
    let n = 0;
    const write = (notice) => context.response.write(`id: ${++n}\nevent: notice\ndata: ${JSON.stringify(notice)}\n\n`);
    store.listeners.add(write);
    context.response.on('close', () => store.listeners.delete(write));
}

function owner() {
    if (process.env.FAKE_OWNER) throw new HttpError(403, 'forbidden', 'The owner’s secret is needed.');
}

function addProvider({ body }) {
    owner();
    const provider = {
        base_url: null,
        default_model: null,
        is_default: false,
        ...body,
        id: `p${store.providers.length}`,
        has_key: !!body.api_key,
        tools: body.format !== 'local',
    };
    delete provider.api_key;
    if (provider.is_default) store.providers.forEach((other) => (other.is_default = false));
    store.providers.push(provider);
    return provider;
}

function patchProvider({ id, body }) {
    owner();
    if (body.is_default) store.providers.forEach((other) => (other.is_default = false));
    return Object.assign(found(store.providers.find((item) => item.id === id)), body);
}

function removeProvider({ id }) {
    owner();
    store.providers = store.providers.filter((item) => item.id !== id);
}

function listModels({ id }) {
    const names =
        id === 'local'
            ? ['tiny-demo']
            : ['large', 'large-thinking', 'small', 'small-fast', 'embedding'].map((name) => `example/${name}-2026`);
    return { items: names.map((name) => ({ id: name, context_window: 128_000 })) };
}

const TOOLS = [{ name: 'calculator', description: 'Computes.', effect: 'read', asks: 'never', source: 'luxx' }];

const PRESETS = [
    {
        id: 'example',
        name: 'Example',
        base_url: 'https://api.example/v1',
        key: 'needed',
        key_url: 'https://example.com/keys',
    },
    { id: 'custom', name: 'Custom', base_url: null, key: 'optional', key_url: null },
].map((preset) => ({ ...preset, format: 'openai', default_model: null, own: false, hint: null }));

const ROUTES = [
    ['GET', /^\/api\/conversations$/, listConversations],
    ['POST', /^\/api\/conversations$/, createConversation, 201],
    ['GET', /^\/api\/conversations\/([^/]+)$/, ({ id }) => store.view(found(store.conversations.get(id)))],
    ['PATCH', /^\/api\/conversations\/([^/]+)$/, patchConversation],
    ['DELETE', /^\/api\/conversations\/([^/]+)$/, deleteConversation, 204],
    ['GET', /^\/api\/conversations\/([^/]+)\/messages$/, listMessages],
    ['POST', /^\/api\/conversations\/([^/]+)\/messages$/, (context) => once(context, postMessage)],
    ['POST', /^\/api\/messages\/([^/]+)\/regenerate$/, (context) => once(context, (it) => again(it, false))],
    ['POST', /^\/api\/messages\/([^/]+)\/continue$/, (context) => once(context, (it) => again(it, true))],
    ['GET', /^\/api\/turns\/([^/]+)\/events$/, followTurn],
    [
        'POST',
        /^\/api\/turns\/([^/]+)\/cancel$/,
        ({ id }) => (store.cancel(found(store.turns.get(id))), turnRef(store.turns.get(id))),
    ],
    ['GET', /^\/api\/events$/, streamNotices],
    ['GET', /^\/api\/approvals$/, () => ({ items: [] })],
    ['GET', /^\/api\/tools$/, () => ({ items: TOOLS })],
    ['GET', /^\/api\/mcp-servers$/, () => ({ items: [] })],
    ['GET', /^\/api\/openapi-servers$/, () => ({ items: [] })],
    ['GET', /^\/api\/presets$/, () => ({ items: PRESETS })],
    ['GET', /^\/api\/rules$/, () => ({ items: store.rules })],
    ['PUT', /^\/api\/rules$/, ({ body }) => ((store.rules = body.items), { items: store.rules })],
    ['GET', /^\/api\/providers$/, () => ({ items: store.providers })],
    ['POST', /^\/api\/providers$/, addProvider, 201],
    ['PATCH', /^\/api\/providers\/([^/]+)$/, patchProvider],
    ['DELETE', /^\/api\/providers\/([^/]+)$/, removeProvider, 204],
    ['GET', /^\/api\/providers\/([^/]+)\/models$/, listModels],
    [
        'POST',
        /^\/api\/providers\/([^/]+)\/test$/,
        ({ id }) =>
            id === 'local'
                ? { ok: true, detail: '', models: 1 }
                : { ok: false, detail: 'HTTP 401: the key is not valid.' },
    ],
];

async function readBody(request) {
    let text = '';
    for await (const piece of request) text += piece;
    return text ? JSON.parse(text) : {};
}

async function api(request, response, url) {
    const route = found(ROUTES.find(([method, pattern]) => method === request.method && pattern.test(url.pathname)));
    const [, pattern, handler, status = 200] = route;
    const context = {
        request,
        response,
        query: url.searchParams,
        id: decodeURIComponent(pattern.exec(url.pathname)[1] ?? ''),
        body: await readBody(request),
    };
    const result = handler(context);
    if (response.headersSent || response.writableEnded) return;
    response
        .writeHead(status, { 'Content-Type': 'application/json' })
        .end(status === 204 ? undefined : JSON.stringify(result));
}

function page(response, path) {
    const wanted = join(PAGE, normalize(path));
    const file = wanted.startsWith(PAGE) && extname(path) && existsSync(wanted) ? wanted : join(PAGE, 'index.html');
    response
        .writeHead(200, {
            'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
            'Content-Security-Policy': POLICY,
        })
        .end(readFileSync(file));
}

createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const work = url.pathname.startsWith('/api/')
        ? api(request, response, url)
        : Promise.resolve().then(() => page(response, url.pathname));
    work.catch((error) => {
        const { status = 500, code = 'internal', message } = error;
        response
            .writeHead(status, { 'Content-Type': 'application/problem+json' })
            .end(JSON.stringify({ type: 'about:blank', status, code, detail: message }));
    });
}).listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}`));
