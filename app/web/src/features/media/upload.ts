/**
 * One upload of one file in equal parts, a few at a time. Sent parts are never sent again: after a failure `run()` goes
 * on with the missing ones. Only when the backend finds that the sent parts do not match are all of them sent anew.
 */
import { Problem } from "../../api/problem";
import { type RetryPolicy, retrying } from "../../api/retry";
import { StorageError } from "../../api/storage";
import type { Media, PartUrl, SentPart, UploadTicket } from "../../api/types";

/** Browsers do not know every container; what the file is, the probe finds out. */
const UNKNOWN_VIDEO = "video/x-unknown";
const PARALLEL_PARTS = 4;
const URLS_PER_CALL = 20;
const PART_POLICY: RetryPolicy = { attempts: 5, baseMs: 500, maxMs: 8000 };

export interface UploadBackend {
  startUpload(file: { filename: string; content_type: string; size_bytes: number }, key: string): Promise<UploadTicket>;
  partUrls(mediaId: string, partNumbers: number[], signal: AbortSignal): Promise<PartUrl[]>;
  completeUpload(mediaId: string, parts: SentPart[], signal: AbortSignal): Promise<Media>;
  abortUpload(mediaId: string): Promise<void>;
  putPart(url: string, part: Blob, options: { signal: AbortSignal; onSent: (bytes: number) => void }): Promise<string>;
}

export type UploadPhase = "ready" | "sending" | "completing" | "done" | "failed" | "aborted";

export interface UploadState {
  phase: UploadPhase;
  filename: string;
  sentBytes: number;
  totalBytes: number;
  media: Media | null;
  error: unknown;
}

export class Upload {
  readonly #file: File;
  readonly #backend: UploadBackend;
  readonly #onChange: (state: UploadState) => void;
  readonly #policy: RetryPolicy;
  readonly #key = crypto.randomUUID();
  readonly #urls = new Map<number, string>();
  readonly #etags = new Map<number, string>();
  readonly #bytesOf = new Map<number, number>();
  #ticket: UploadTicket | null = null;
  #urlCall: Promise<void> | null = null;
  #abort = new AbortController();
  #state: UploadState;

  constructor(
    file: File,
    backend: UploadBackend,
    onChange: (state: UploadState) => void,
    policy: RetryPolicy = PART_POLICY,
  ) {
    this.#file = file;
    this.#backend = backend;
    this.#onChange = onChange;
    this.#policy = policy;
    this.#state = {
      phase: "ready",
      filename: file.name,
      sentBytes: 0,
      totalBytes: file.size,
      media: null,
      error: null,
    };
  }

  /** Sends what is missing and completes the upload. Never rejects: the outcome is the state. */
  async run(): Promise<void> {
    if (this.#state.phase === "sending" || this.#state.phase === "completing") return;
    this.#change({ phase: "sending", error: null });
    try {
      this.#ticket ??= await this.#start();
      await this.#sendMissingParts(this.#ticket);
      this.#change({ phase: "completing" });
      const media = await this.#backend.completeUpload(this.#ticket.media.id, this.#sentParts(), this.#abort.signal);
      this.#change({ phase: "done", media });
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (error instanceof Problem && error.code === "upload_mismatch") this.#forgetParts();
      this.#change({ phase: "failed", error });
    }
  }

  /** Stops, and throws the sent parts away here and in storage. Never rejects: a failure there is the state's error. */
  async abort(): Promise<void> {
    this.#abort.abort(new DOMException("upload aborted", "AbortError"));
    this.#change({ phase: "aborted", error: null });
    if (this.#ticket) await this.#discard(this.#ticket);
  }

  async #discard(ticket: UploadTicket): Promise<void> {
    try {
      await this.#backend.abortUpload(ticket.media.id);
    } catch (error) {
      this.#change({ error });
    }
  }

  async #start(): Promise<UploadTicket> {
    const ticket = await this.#backend.startUpload(
      {
        filename: this.#file.name,
        content_type: this.#file.type.startsWith("video/") ? this.#file.type : UNKNOWN_VIDEO,
        size_bytes: this.#file.size,
      },
      this.#key,
    );
    this.#takeUrls(ticket.upload.parts);
    if (this.#abort.signal.aborted) await this.#discard(ticket);
    return ticket;
  }

  async #sendMissingParts(ticket: UploadTicket): Promise<void> {
    const queue = this.#missing(ticket);
    let failure: unknown = null;
    const work = async () => {
      for (let part = queue.shift(); part !== undefined && failure === null; part = queue.shift()) {
        try {
          await this.#sendPart(ticket, part);
        } catch (error) {
          failure ??= error;
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_PARTS }, work));
    if (failure !== null) throw failure;
  }

  async #sendPart(ticket: UploadTicket, part: number): Promise<void> {
    const size = ticket.upload.part_size_bytes;
    const bytes = this.#file.slice((part - 1) * size, part * size);
    const send = async () => {
      const url = await this.#urlOf(ticket, part);
      try {
        return await this.#backend.putPart(url, bytes, {
          signal: this.#abort.signal,
          onSent: (sent) => this.#count(part, Math.min(sent, bytes.size)),
        });
      } catch (error) {
        this.#bytesOf.delete(part);
        if (error instanceof StorageError && error.status === 403) this.#urls.delete(part);
        throw error;
      }
    };
    const isTransient = (error: unknown) => error instanceof StorageError && error.isTransient;
    const etag = await retrying(send, this.#policy, isTransient, this.#abort.signal);
    this.#etags.set(part, etag);
    this.#count(part, bytes.size);
  }

  async #urlOf(ticket: UploadTicket, part: number): Promise<string> {
    for (;;) {
      const url = this.#urls.get(part);
      if (url !== undefined) return url;
      this.#urlCall ??= this.#askUrls(ticket, part).finally(() => {
        this.#urlCall = null;
      });
      await this.#urlCall;
    }
  }

  async #askUrls(ticket: UploadTicket, part: number): Promise<void> {
    const others = this.#missing(ticket).filter((number) => number !== part && !this.#urls.has(number));
    const wanted = [part, ...others].slice(0, URLS_PER_CALL).sort((a, b) => a - b);
    const parts = await this.#backend.partUrls(ticket.media.id, wanted, this.#abort.signal);
    this.#takeUrls(parts);
    if (!this.#urls.has(part)) throw new Error(`The server gave no address for part ${part}.`);
  }

  #takeUrls(parts: PartUrl[]): void {
    for (const { part_number, url } of parts) this.#urls.set(part_number, url);
  }

  #missing(ticket: UploadTicket): number[] {
    const all = Array.from({ length: ticket.upload.part_count }, (_, index) => index + 1);
    return all.filter((part) => !this.#etags.has(part));
  }

  #sentParts(): SentPart[] {
    return [...this.#etags].sort(([a], [b]) => a - b).map(([part_number, etag]) => ({ part_number, etag }));
  }

  #forgetParts(): void {
    this.#etags.clear();
    this.#bytesOf.clear();
    this.#change({ sentBytes: 0 });
  }

  #count(part: number, bytes: number): void {
    this.#bytesOf.set(part, bytes);
    const sum = [...this.#bytesOf.values()].reduce((total, value) => total + value, 0);
    this.#change({ sentBytes: Math.max(this.#state.sentBytes, sum) });
  }

  #change(change: Partial<UploadState>): void {
    const phase = this.#state.phase === "aborted" ? "aborted" : (change.phase ?? this.#state.phase);
    this.#state = { ...this.#state, ...change, phase };
    this.#onChange(this.#state);
  }
}
