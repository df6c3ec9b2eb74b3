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

  constructor(status: number, document: Record<string, unknown>) {
    const title = text(document.title) ?? `The server answered ${status}`;
    super(text(document.detail) ?? title);
    this.name = "Problem";
    this.status = status;
    this.code = text(document.code) ?? "unknown";
    this.title = title;
    this.fields = Array.isArray(document.errors) ? document.errors.filter(isFieldError) : [];
  }
}

/** The backend gave no answer of its own: no connection, a timeout, or a proxy's error page. */
export class UnreachableError extends Error {
  constructor(cause?: unknown) {
    super("The server can't be reached.", { cause });
    this.name = "UnreachableError";
  }
}

/** Another session changed the same thing first: reading it again and repeating the change helps. */
export function isStale(error: unknown): boolean {
  return error instanceof Problem && ["stale_revision", "stale_session"].includes(error.code);
}

/** May the same request succeed in a moment? */
export function isTransient(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof Problem && [429, 502, 503, 504].includes(error.status));
}

/** The sentence a person reads, with the fields that the API complained about. */
export function describe(error: unknown): string {
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
