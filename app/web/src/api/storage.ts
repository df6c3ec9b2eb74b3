/** Puts one part into object storage by its presigned URL. XMLHttpRequest, because fetch tells no upload progress. */

const STALL_MS = 30_000;

/** `status` is null when storage gave no answer. */
export class StorageError extends Error {
  readonly status: number | null;

  constructor(message: string, status: number | null) {
    super(message);
    this.name = "StorageError";
    this.status = status;
  }

  /** May another try succeed? 403 is an expired URL: it is asked for anew. */
  get isTransient(): boolean {
    return this.status === null || [403, 408, 429].includes(this.status) || this.status >= 500;
  }
}

export interface PutPartOptions {
  signal: AbortSignal;
  onSent: (bytes: number) => void;
}

/** Resolves to the part's ETag; a part that makes no progress for 30 s fails. */
export function putPart(url: string, part: Blob, { signal, onSent }: PutPartOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let stall: ReturnType<typeof setTimeout>;
    const stop = () => request.abort();
    const settle = (finish: () => void) => {
      clearTimeout(stall);
      signal.removeEventListener("abort", stop);
      finish();
    };
    const fail = (message: string, status: number | null) =>
      settle(() => reject(signal.aborted ? signal.reason : new StorageError(message, status)));
    const watch = () => {
      clearTimeout(stall);
      stall = setTimeout(stop, STALL_MS);
    };

    request.upload.onprogress = (event) => {
      watch();
      onSent(event.loaded);
    };
    request.onload = () => {
      if (request.status !== 200) return fail(`Storage answered ${request.status} to a part.`, request.status);
      const etag = request.getResponseHeader("ETag");
      if (etag === null) return fail("Storage hides the ETag header: expose it in the bucket's CORS rules.", 200);
      return settle(() => resolve(etag));
    };
    request.onerror = () => fail("Storage can't be reached.", null);
    request.onabort = () => fail("Storage took nothing for 30 seconds.", null);

    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    request.open("PUT", url);
    watch();
    request.send(part);
  });
}
