/** Files that go with the next message: uploaded while it is written, kept for each conversation until it is sent. */
import { files as api } from '../api/client';
import { Problem } from '../api/http';
import type { FileRef } from '../api/types';
import { upload } from '../api/upload';
import { limits } from './limits.svelte';
import { listIn, onStored, storedList, storeList } from './storage';

const PREFIX = 'files:';
/** Browsers keep few connections to one server, and sending a message needs one, too. */
const AT_ONCE = 3;

/** A text that was meant for the message itself, and is a file since it is long. */
export class TextFile extends File {
  constructor(text: string, name: string) {
    super([text], name, { type: 'text/plain' });
  }
}

/** A file of a draft as it is kept. */
type Kept = FileRef & { pasted?: boolean };

let keys = 0;

export class Attachment {
  readonly key = ++keys;
  readonly name: string;
  readonly size: number;
  state = $state<'waiting' | 'uploading' | 'ready' | 'failed'>('waiting');
  progress = $state(0);
  problem = $state.raw<Problem | undefined>();
  /** It was a folder, or was moved or changed since: no new try can mend that. */
  unreadable = $state(false);
  file = $state.raw<FileRef | undefined>();
  /** An address to show an image by. */
  preview = $state<string | undefined>();
  /** Whether it can become part of the text again. */
  readonly pasted: boolean;
  /** A person has taken it away. */
  removed = false;
  private readonly ending = new AbortController();

  constructor(
    readonly source: File | undefined,
    file?: Kept,
  ) {
    this.pasted = source instanceof TextFile || !!file?.pasted;
    this.name = file?.name ?? source?.name ?? '';
    this.size = file?.size ?? source?.size ?? 0;
    if (file) this.uploaded(file);
    else if (source && isImage(source.type)) this.preview = URL.createObjectURL(source);
  }

  /** Whether the server takes as much, or has taken it. */
  get fits(): boolean {
    return this.state === 'ready' || this.size <= limits.bytes;
  }

  get mediaType(): string {
    return this.file?.media_type ?? this.source?.type ?? '';
  }

  /** Upload it, or try that again. */
  async start(): Promise<void> {
    if (!this.source) return;
    this.state = 'uploading';
    this.progress = 0;
    try {
      this.uploaded(await upload(this.source, (share) => (this.progress = share), this.ending.signal));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.unreadable = error.status === 0 && !(await canBeRead(this.source));
      this.problem = error;
      this.state = 'failed';
    }
  }

  /** Stop the upload and let the browser forget the image. */
  end(): void {
    this.ending.abort();
    this.hide();
  }

  /** Show no image: it is none, or nobody looks at it any more. */
  hide(): void {
    if (this.preview?.startsWith('blob:')) URL.revokeObjectURL(this.preview);
    this.preview = undefined;
  }

  private uploaded(file: FileRef): void {
    this.file = file;
    this.state = 'ready';
    if (!this.preview && isImage(file.media_type)) this.preview = api.content(file.id);
  }
}

/** The files of one draft. */
export class Attachments {
  items = $state<Attachment[]>([]);
  /** Those of them that are too many for one message. */
  private readonly excess = $derived(this.items.filter((item) => item.fits).slice(limits.files));
  /** The first that cannot go with the message. */
  readonly refused = $derived(this.items.find((item) => this.refusal(item)));
  readonly uploading = $derived(this.items.some((item) => isOnItsWay(item) && !this.refusal(item)));
  readonly failed = $derived(this.items.some((item) => item.state === 'failed'));
  /** Whether all that is not there yet can be waited for. */
  readonly onTheirWay = $derived(this.uploading && !this.failed && !this.refused);
  readonly refs = $derived(this.items.flatMap((item) => item.file ?? []));

  constructor(private key: string) {
    for (const file of filesIn(storedList(PREFIX + key))) void this.restore(file);
  }

  async add(sources: Iterable<File>): Promise<void> {
    const added = Array.from(sources, (source) => new Attachment(source));
    this.items.push(...added);
    await (added.some((item) => this.refusal(item)) ? limits.ask() : limits.known());
    this.start();
  }

  /** Why it cannot go with the message, by what the server has said. */
  refusal(item: Attachment): 'size' | 'count' | undefined {
    if (!item.fits) return 'size';
    return this.excess.includes(item) ? 'count' : undefined;
  }

  /** Try one that failed again. */
  again(item: Attachment): void {
    item.state = 'waiting';
    this.start();
  }

  /** Upload what waits and is not refused, a few at once. */
  private start(): void {
    const busy = this.items.filter((item) => item.state === 'uploading').length;
    const next = this.items.filter((item) => item.state === 'waiting' && !this.refusal(item));
    for (const item of next.slice(0, Math.max(0, AT_ONCE - busy))) void this.upload(item);
  }

  private async upload(item: Attachment): Promise<void> {
    await item.start();
    // A server that refuses a body by its length may hang up before it says so.
    if (item.state === 'failed') void limits.ask().then(() => this.start());
    if (!item.removed) this.save();
    else if (item.file) forget(item.file);
    this.start();
  }

  remove(item: Attachment): void {
    item.removed = true;
    item.end();
    if (item.file) forget(item.file);
    this.items = this.items.filter((other) => other !== item);
    this.save();
    this.start();
  }

  /** Take them out to be sent; then comes `sent` or `putBack`. */
  take(): Attachment[] {
    const taken = this.items;
    this.items = [];
    return taken;
  }

  putBack(taken: Attachment[]): void {
    this.items = [...taken, ...this.items];
    this.save();
  }

  /** Attach files that the server has already. */
  give(files: readonly FileRef[]): void {
    this.items = [...files.map((file) => new Attachment(undefined, file)), ...this.items];
    this.save();
  }

  sent(taken: Attachment[]): void {
    for (const item of taken) item.end();
    this.save();
  }

  /** Let go of files that were sent, or taken away, in another tab. */
  drop(gone: FileRef[]): void {
    const isGone = (item: Attachment) => gone.some((file) => file.id === item.file?.id);
    this.items.filter(isGone).forEach((item) => item.end());
    this.items = this.items.filter((item) => !isGone(item));
  }

  /** Be the files of another draft. */
  move(key: string): void {
    const items = this.items;
    this.items = [];
    this.save();
    this.key = key;
    this.items = items;
    this.save();
  }

  private async restore(file: Kept): Promise<void> {
    try {
      this.items.push(new Attachment(undefined, { ...file, ...(await api.get(file.id)) }));
    } catch (error) {
      // It was not sent for a day, and the server has let it go.
      if (!(error instanceof Problem)) throw error;
    }
  }

  private save(): void {
    const kept = this.items.flatMap(({ file, pasted }): Kept[] => (file ? [pasted ? { ...file, pasted } : file] : []));
    storeList(PREFIX + this.key, kept);
  }
}

const drafts = new Map<string, Attachments>();

/** Return the files of a draft; they stay while other conversations are looked at. */
export function attachmentsOf(key: string): Attachments {
  void limits.known();
  const known = drafts.get(key) ?? new Attachments(key);
  drafts.set(key, known);
  return known;
}

/** Let the files of a draft be those of another one, which has none yet. */
export function moveAttachments(from: string, to: string): void {
  const moved = drafts.get(from);
  if (!moved) return;
  drafts.delete(from);
  drafts.set(to, moved);
  moved.move(to);
}

// A draft that is gone from the storage was sent, or emptied, in another tab.
onStored(PREFIX, (draft, text, before) => {
  if (!text) drafts.get(draft)?.drop(filesIn(listIn(before)));
});

function isOnItsWay({ state }: Attachment): boolean {
  return state === 'waiting' || state === 'uploading';
}

/** Whether the browser can still read it; folders, too, are dropped as files. */
async function canBeRead(source: File): Promise<boolean> {
  return source
    .slice(0, 1)
    .arrayBuffer()
    .then(() => true)
    .catch(() => false);
}

export function isImage(mediaType: string): boolean {
  return ['image/png', 'image/jpeg', 'image/gif', 'image/webp'].includes(mediaType);
}

/** Whether the server has found it to be text, or the browser takes it for one. */
export function isText(mediaType: string): boolean {
  return mediaType.startsWith('text/');
}

function filesIn(list: unknown[]): Kept[] {
  return (list as Kept[]).filter((file) => typeof file?.id === 'string');
}

function forget(file: FileRef): void {
  void api.remove(file.id).catch(() => undefined);
}
