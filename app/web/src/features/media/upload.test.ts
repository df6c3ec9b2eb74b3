import { beforeEach, describe, expect, it } from "vitest";
import { Problem } from "../../api/problem";
import { StorageError } from "../../api/storage";
import type { Media, SentPart, UploadTicket } from "../../api/types";
import { Upload, type UploadBackend, type UploadState } from "./upload";

const PART_BYTES = 10;
const POLICY = { attempts: 3, baseMs: 1, maxMs: 1 };

class Backend implements UploadBackend {
  puts: string[] = [];
  completed: SentPart[] = [];
  aborted: string[] = [];
  failures = new Map<number, Error[]>();
  mismatches = 0;

  async startUpload(file: { size_bytes: number }): Promise<UploadTicket> {
    const part_count = Math.ceil(file.size_bytes / PART_BYTES);
    const media = { id: "m1" } as Media;
    return {
      media,
      upload: { part_size_bytes: PART_BYTES, part_count, parts: [this.#url(1, "first")], expires_at: "" },
    };
  }

  async partUrls(_: string, numbers: number[]) {
    return numbers.map((number) => this.#url(number, "later"));
  }

  async putPart(url: string, part: Blob, { onSent }: { onSent: (bytes: number) => void }): Promise<string> {
    this.puts.push(`${url}:${await part.text()}`);
    const failure = this.failures.get(Number(url.split("/")[1]))?.shift();
    if (failure) throw failure;
    onSent(part.size);
    return `"${await part.text()}"`;
  }

  async completeUpload(_: string, parts: SentPart[]): Promise<Media> {
    if (this.mismatches-- > 0) throw new Problem(422, { code: "upload_mismatch", title: "Parts differ" });
    this.completed = parts;
    return { id: "m1", status: "probing" } as Media;
  }

  async abortUpload(id: string): Promise<void> {
    this.aborted.push(id);
  }

  #url(part_number: number, name: string) {
    return { part_number, url: `${name}/${part_number}`, size_bytes: PART_BYTES };
  }
}

describe("Upload", () => {
  const text = Array.from({ length: 35 }, (_, index) => String.fromCharCode(65 + (index % 26))).join("");
  let backend: Backend;
  let states: UploadState[];
  let upload: Upload;
  const last = () => states.at(-1);
  const partsSent = () => backend.puts.map((put) => Number(/\/(\d+):/.exec(put)?.[1])).sort((a, b) => a - b);

  beforeEach(() => {
    backend = new Backend();
    states = [];
    upload = new Upload(new File([text], "game.mp4"), backend, (state) => states.push(state), POLICY);
  });

  it("sends every slice once and completes with the ETags in order", async () => {
    await upload.run();
    expect(last()).toMatchObject({ phase: "done", sentBytes: 35 });
    const slices = [0, 10, 20, 30].map((start) => text.slice(start, start + PART_BYTES));
    expect(backend.completed).toEqual(slices.map((slice, index) => ({ part_number: index + 1, etag: `"${slice}"` })));
    expect(partsSent()).toEqual([1, 2, 3, 4]);
  });

  it("asks for a new address when storage refuses an expired one", async () => {
    backend.failures.set(1, [new StorageError("expired", 403)]);
    await upload.run();
    expect(last()?.phase).toBe("done");
    expect(backend.puts.filter((put) => put.includes("/1:")).map((put) => put.split("/")[0])).toEqual([
      "first",
      "later",
    ]);
  });

  it("goes on with only the missing part after a failure", async () => {
    backend.failures.set(3, Array(3).fill(new StorageError("away", null)));
    await upload.run();
    expect(last()?.phase).toBe("failed");
    backend.puts = [];
    await upload.run();
    expect(last()?.phase).toBe("done");
    expect(partsSent()).toEqual([3]);
  });

  it("sends all parts anew when the backend finds a mismatch", async () => {
    backend.mismatches = 1;
    await upload.run();
    expect(last()).toMatchObject({ phase: "failed", sentBytes: 0 });
    await upload.run();
    expect(last()?.phase).toBe("done");
    expect(partsSent()).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
  });

  it("stays aborted and frees the storage", async () => {
    backend.failures.set(2, [new StorageError("away", null)]);
    const running = upload.run();
    await new Promise((resolve) => setTimeout(resolve));
    await upload.abort();
    await running;
    expect(last()?.phase).toBe("aborted");
    expect(backend.aborted).toEqual(["m1"]);
  });
});
