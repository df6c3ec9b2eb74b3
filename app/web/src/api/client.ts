/**
 * One call of the API. A call without an answer is repeated a few times; every changing call carries an idempotency
 * key, so that a repeated one is carried out once. Errors are Problem or UnreachableError.
 */
import { httpUrl } from "./address";
import { connection } from "./connection";
import { identity } from "./identity";
import { library } from "./library";
import { isStaleSession, isTransient, Problem, UnreachableError } from "./problem";
import { retrying } from "./retry";

const POLICY = { attempts: 3, baseMs: 300, maxMs: 2000 };
const TIMEOUT_MS = 30_000;

export interface CallOptions {
  body?: unknown;
  /** The same key on a later call asks for the same result; by default each call is one of its own. */
  key?: string;
  signal?: AbortSignal | undefined;
  /** Depends on nothing that the page has seen: no other session can have been first, and its answer is no look. */
  standsAlone?: boolean;
}

export function call<T>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  options: CallOptions = {},
): Promise<T> {
  const headers = new Headers({ Accept: "application/json", ...library.headers() });
  if (options.standsAlone) headers.delete("X-Library-Version");
  const user = identity.user();
  if (user !== null) headers.set("X-User-ID", user);
  if (method === "POST" || method === "PUT") headers.set("Idempotency-Key", options.key ?? crypto.randomUUID());
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  const body = options.body === undefined ? null : JSON.stringify(options.body);
  const task = () => send(httpUrl(path), { method, headers, body }, options.signal);
  return retrying(() => noted<T>(task, options.standsAlone ? null : user), POLICY, isTransient, options.signal);
}

/** The document of the answer; the library of `reader` is told, unless another user signed in meanwhile. */
async function noted<T>(task: () => Promise<Answer>, reader: string | null): Promise<T> {
  const isStillHere = () => reader !== null && identity.user() === reader;
  try {
    const { headers, text } = await task();
    if (isStillHere()) library.reportAnswer(headers);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  } catch (error) {
    if (isStaleSession(error) && isStillHere()) library.reportStaleSession(error.currentVersion ?? 0);
    throw error;
  }
}

interface Answer {
  headers: Headers;
  text: string;
}

async function send(url: string, init: RequestInit, signal?: AbortSignal): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    void connection.reportSilence();
    throw new UnreachableError(error);
  }
  const isProblem = response.headers.get("Content-Type")?.includes("application/problem+json") ?? false;
  if (response.status >= 500 && !isProblem) {
    void connection.reportSilence();
    throw new UnreachableError(`a proxy answered ${response.status}`);
  }
  connection.reportAnswer();
  if (!response.ok) throw new Problem(response.status, isProblem ? JSON.parse(text) : {});
  return { headers: response.headers, text };
}
