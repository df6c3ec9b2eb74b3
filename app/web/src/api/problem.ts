/** What can go wrong with a call: the API refused it (Problem), or there was no answer (UnreachableError). */

export interface FieldError {
  field: string;
  message: string;
}

/** A problem document of the API (RFC 9457); `code` is the stable name of the problem. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly fields: readonly FieldError[];
  /** Of a stale session: the library's version as it is now. */
  readonly currentVersion: number | null;

  constructor(status: number, document: Record<string, unknown>) {
    const title = text(document.title) ?? `The server answered ${status}`;
    super(text(document.detail) ?? title);
    this.name = "Problem";
    this.status = status;
    this.code = text(document.code) ?? "unknown";
    this.title = title;
    this.fields = Array.isArray(document.errors) ? document.errors.filter(isFieldError) : [];
    this.currentVersion = typeof document.current_version === "number" ? document.current_version : null;
  }
}

/** The backend gave no answer of its own: no connection, a timeout, or a proxy's error page. */
export class UnreachableError extends Error {
  constructor(cause?: unknown) {
    super("The server can't be reached.", { cause });
    this.name = "UnreachableError";
  }
}

/** The same thing was changed first: reading it again and repeating the change helps. */
export function isStale(error: unknown): boolean {
  return error instanceof Problem && error.code === "stale_revision";
}

/** Something was changed first by another session: the page has to be refreshed before it changes anything. */
export function isStaleSession(error: unknown): error is Problem {
  return error instanceof Problem && error.code === "stale_session";
}

/** May the same request succeed in a moment? */
export function isTransient(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof Problem && [429, 502, 503, 504].includes(error.status));
}

/** The sentence a person reads, with the fields that the API complained about. */
export function describe(error: unknown): string {
  if (isStaleSession(error)) return "Another device or tab was first. Refresh, then try again.";
  if (error instanceof Problem && error.fields.length > 0) {
    return `${error.message} (${error.fields.map(({ field, message }) => `${field}: ${message}`).join("; ")})`;
  }
  return error instanceof Error ? error.message : String(error);
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function isFieldError(value: unknown): value is FieldError {
  return typeof value === "object" && value !== null && "field" in value && "message" in value;
}
