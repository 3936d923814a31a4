/** Uploading: one file as the body of a request that tells how far it is, which `fetch` cannot. */
import { isAway, Problem, problemIn, withQuery } from './http';
import { reach } from './reach';
import type { FileRef } from './types';

/** Send a file; `progress` gets the share that is sent. Raises Problem, `upload_broken` if no answer came: why, nobody says. */
export function upload(file: File, progress: (share: number) => void, signal: AbortSignal): Promise<FileRef> {
  return uploadTo<FileRef>(withQuery('/api/files', { name: file.name || undefined }), file, progress, signal);
}

/** Send a file to a route, and return what it answers. */
export function uploadTo<Result>(
  path: string,
  file: File,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const failed = () => reject(new Problem(0, 'upload_broken', ''));
    request.open('POST', path);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      if (!isAway(request.status)) reach.answered();
      if (request.status === 200 || request.status === 201) resolve(JSON.parse(request.responseText) as Result);
      else reject(problemIn(request.status, request.responseText, request.statusText));
    };
    request.onerror = failed;
    request.onabort = failed;
    request.onloadend = () => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop);
    request.send(file);
  });
}
