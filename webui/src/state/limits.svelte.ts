/** What the server takes of a message and its files. It stays the judge: who asks here saves the upload of what it would refuse. */
import { files as api } from '../api/client';
import { Problem } from '../api/http';

class Limits {
  /** How many go with one message; until the server has said so, as many as one takes that was not set up otherwise. */
  files = $state(10);
  /** How many characters a message may have. */
  chars = $state(400_000);
  /** How many bytes one may have. */
  bytes = $state(20_000_000);
  /** The kinds that models are shown; empty while nobody has said so. */
  private kinds = $state.raw<string[]>([]);
  private asked: Promise<void> | undefined;

  /** Have it said by the server, if it has not. */
  known(): Promise<void> {
    return (this.asked ??= this.ask());
  }

  /** Ask anew: the server may have been set up otherwise since. */
  async ask(): Promise<void> {
    try {
      const { message_chars, message_files, file_bytes, media_types } = await api.limits();
      this.chars = message_chars;
      this.files = message_files;
      this.bytes = file_bytes;
      this.kinds = media_types;
    } catch (error) {
      this.asked = undefined;
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Whether a text may go as a file with a message that has so many already. */
  takeText(text: string, beside: number): boolean {
    return beside < this.files && this.isSeen('text/plain') && new Blob([text]).size <= this.bytes;
  }

  /** Whether models are shown what files of this kind hold. */
  isSeen(mediaType: string): boolean {
    const fits = (kind: string) => (kind.endsWith('/*') ? mediaType.startsWith(kind.slice(0, -1)) : mediaType === kind);
    return !this.kinds.length || this.kinds.some(fits);
  }
}

export const limits = new Limits();
