/**
 * What this browser keeps of what was read, to be read when the server cannot be reached: the list, and the conversations that were
 * opened last. It is the data of one server and one owner: that of others is forgotten at once.
 */
import { health } from '../api/client';
import { Problem } from '../api/http';
import type { Conversation, MessagePage } from '../api/types';

const DATABASE = 'luxx';
const MOST_CONVERSATIONS = 50;
const MOST_CHARS = 10_000_000; // At most 20 MB, since a character takes up to two bytes.
const LIST = 'list';
const OWNER = 'owner';
/** When all was forgotten last. */
const FORGOTTEN = 'forgotten';

export interface KeptList {
  pinned: Conversation[];
  items: Conversation[];
}

export interface KeptConversation {
  conversation: Conversation;
  /** The end of the branch. */
  page: MessagePage;
}

/** A row; `order` is when it was kept, in ms, and how many characters it has. */
interface Row {
  id: string;
  order: [number, number];
  json: string;
}

let opening: Promise<IDBDatabase> | undefined;
let owned: Promise<boolean> | undefined;

/** Find out anew whose data the server has; what was kept of another owner is forgotten. */
export async function makeSure(): Promise<void> {
  owned = makeSureOfOwner();
  await owned;
}

/** Whether the server has said whose data it is: before, nothing is kept. */
function isOwned(): Promise<boolean> {
  return (owned ??= makeSureOfOwner());
}

/** Keep the list, unless all was forgotten since it was read. */
export async function keepList(list: KeptList, read: number): Promise<void> {
  if (await isOwned()) await write('facts', (facts) => facts.put(JSON.stringify(list), LIST), read);
}

/** Keep a conversation, unless all was forgotten since it was read. */
export async function keepConversation(kept: KeptConversation, read: number): Promise<void> {
  if (!(await isOwned())) return;
  const json = JSON.stringify(kept);
  const row: Row = { id: kept.conversation.id, order: [Date.now(), json.length], json };
  const put = (rows: IDBObjectStore) => {
    rows.put(row);
    makeRoom(rows);
  };
  await write('conversations', put, read);
}

/** Return the list as it was read last, undefined if there is none. */
export async function keptList(): Promise<KeptList | undefined> {
  const json = await read<string>('facts', LIST);
  return json === undefined ? undefined : (JSON.parse(json) as KeptList);
}

/** Return a conversation as it was read last, undefined if it is not among those that are kept. */
export async function keptConversation(id: string): Promise<KeptConversation | undefined> {
  const row = await read<Row>('conversations', id);
  return row && (JSON.parse(row.json) as KeptConversation);
}

export async function forget(id: string): Promise<void> {
  await write('conversations', (rows) => rows.delete(id));
}

/** Forget all, also what other tabs have read and are about to keep. */
export async function forgetAll(): Promise<void> {
  await write('facts', (facts) => facts.put(Date.now(), FORGOTTEN));
  await clear();
}

async function clear(): Promise<void> {
  await write('conversations', (rows) => rows.clear());
  await write('facts', (facts) => [LIST, OWNER].forEach((name) => facts.delete(name)));
}

/** Return how many conversations are kept, and about how many bytes they take. */
export async function usage(): Promise<{ conversations: number; bytes: number }> {
  const found = { conversations: 0, bytes: 0 };
  await write('conversations', (rows) =>
    eachOrder(rows, ([, chars]) => {
      found.conversations += 1;
      found.bytes += chars;
    }),
  );
  return found;
}

async function makeSureOfOwner(): Promise<boolean> {
  try {
    const { data } = await health();
    if ((await read<string>('facts', OWNER)) !== data) await clear();
    await write('facts', (facts) => facts.put(data, OWNER));
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) await forgetAll();
    return false;
  }
}

/** Take away what was kept longest ago, as far as there is more than there may be. */
function makeRoom(rows: IDBObjectStore): void {
  let count = 0;
  let chars = 0;
  eachOrder(rows, (order, id) => {
    count += 1;
    chars += order[1];
    if (count > MOST_CONVERSATIONS || chars > MOST_CHARS) rows.delete(id);
  });
}

/** Call `take` for each row, the one that was kept last at first, without reading what the rows hold. */
function eachOrder(rows: IDBObjectStore, take: (order: [number, number], id: IDBValidKey) => void): void {
  const cursors = rows.index('order').openKeyCursor(null, 'prev');
  cursors.onsuccess = () => {
    const cursor = cursors.result;
    if (!cursor) return;
    take(cursor.key as [number, number], cursor.primaryKey);
    cursor.continue();
  };
}

type Store = 'conversations' | 'facts';

async function read<Value>(store: Store, key: string): Promise<Value | undefined> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const request = database.transaction(store).objectStore(store).get(key);
    request.onsuccess = () => resolve(request.result as Value | undefined);
    request.onerror = () => reject(asError(request.error));
  });
}

/** Change what is kept; with `read`, only if not all was forgotten at that time or after it. */
async function write(store: Store, work: (rows: IDBObjectStore) => void, read = Infinity): Promise<void> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([store, 'facts'], 'readwrite');
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(asError(transaction.error));
    const forgotten = transaction.objectStore('facts').get(FORGOTTEN) as IDBRequest<number | undefined>;
    forgotten.onsuccess = () => {
      if (read > (forgotten.result ?? 0)) work(transaction.objectStore(store));
    };
  });
}

function open(): Promise<IDBDatabase> {
  return (opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('facts');
      request.result.createObjectStore('conversations', { keyPath: 'id' }).createIndex('order', 'order');
    };
    request.onsuccess = () => {
      // Another tab may want a newer form of it, or the browser may take it away.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(asError(request.error));
  }));
}

function asError(error: DOMException | null): Error {
  return error ?? new Error('The browser keeps nothing.');
}
