/** Requests to the server: JSON in, JSON out, errors as `Problem`. */
import { reach } from './reach';
import type { ProblemDocument } from './types';

const UNREACHABLE = 'unreachable';

/** The server refused, or no answer of its own came (`status` 0). `code` is stable, `message` is for people. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }

  /** Whether only the owner's secret would have let this pass. */
  get needsOwner(): boolean {
    return this.status === 401 || this.status === 403;
  }

  get unreachable(): boolean {
    return this.code === UNREACHABLE;
  }

  /** Whether the same request may well be answered a moment later: nobody was there, or not yet. */
  get passing(): boolean {
    return this.unreachable || isAway(this.status);
  }
}

/** What stands between answers so where nobody is behind it, and a server that starts or ends. */
export function isAway(status: number): boolean {
  return status >= 502 && status <= 504;
}

interface Options {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  keepalive?: boolean;
  cache?: RequestCache;
}

/** Send a request and return the answer if it is good. Raises Problem; an abort passes as it is. */
export async function send(path: string, { body, headers, ...rest }: Options = {}): Promise<Response> {
  const init: RequestInit = { ...rest, headers: { Accept: 'application/json', ...headers } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'Content-Type': 'application/json', ...init.headers };
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (rest.signal?.aborted) throw error;
    throw unreachable();
  }
  if (!isAway(response.status)) reach.answered();
  if (response.ok) return response;
  throw await readProblem(response);
}

/** Send a request and return the JSON of its answer. */
export async function json<Result>(path: string, options?: Options): Promise<Result> {
  // Requests for one address would wait for each other, where the answer to the first might be kept for the others.
  const response = await send(path, { cache: 'no-store', ...options });
  try {
    return (await response.json()) as Result;
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw unreachable();
  }
}

function unreachable(): Problem {
  reach.missed();
  return new Problem(0, UNREACHABLE, '');
}

async function readProblem(response: Response): Promise<Problem> {
  return problemIn(response.status, await response.text().catch(() => ''), response.statusText);
}

/** Return what the body of a refusal says; one that is no problem document came from something in between, which may have found nobody. */
export function problemIn(status: number, body: string, statusText: string): Problem {
  let document: Partial<ProblemDocument>;
  try {
    document = JSON.parse(body) as Partial<ProblemDocument>;
  } catch {
    document = {};
  }
  if (isAway(status) && !document.code) return unreachable();
  const field = document.errors?.[0];
  const message = field ? `${field.field}: ${field.message}` : (document.detail ?? document.title ?? statusText);
  return new Problem(status, document.code ?? 'http_error', message, field?.field);
}

/** Return the path with those of the parameters that have a value. */
export function withQuery(path: string, parameters: Record<string, string | number | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== null && value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** Return null for what is not there. */
export function missing(error: unknown): null {
  if (error instanceof Problem && (error.status === 404 || error.status === 422)) return null;
  throw error;
}
