/** What can be looked at of files. */
import type { FileRef } from '../api/types';
import { isImage, isText, type Attachment } from '../state/attachments.svelte';

/** A file that is looked at: one that the server has, by its id, or one that is still on its way. */
export interface Looked {
  readonly name: string;
  readonly size: number;
  readonly mediaType: string;
  readonly id: string | undefined;
  readonly source?: File | undefined;
  readonly preview?: string | undefined;
}

export function canLook(mediaType: string): boolean {
  return isImage(mediaType) || isText(mediaType);
}

export function lookedOf(file: FileRef): Looked {
  return { name: file.name, size: file.size, mediaType: file.media_type, id: file.id };
}

export function lookedAt({ name, size, mediaType, file, source, preview }: Attachment): Looked {
  return { name, size, mediaType, id: file?.id, source, preview };
}
