import { describe, expect, it } from "vitest";
import type { ExportJob } from "../../api/types";
import { mergeExport } from "./progress";

function job(change: Partial<ExportJob>): ExportJob {
  const base = { id: "x", kind: "framing", status: "running", attempt: 1, phase: "rendering", frames_done: 0 } as const;
  return { ...base, frames_total: 100, progress_percent: 0, reel_id: null, error: null, created_at: "", ...change };
}

describe("mergeExport", () => {
  it("shows the same end, and never less than before, whatever the order of the messages", () => {
    const messages = [
      job({ status: "pending", phase: "queued" }),
      job({ phase: "reading" }),
      job({ frames_done: 10, progress_percent: 10 }),
      job({ frames_done: 60, progress_percent: 60 }),
      job({ phase: "uploading", frames_done: 100, progress_percent: 98 }),
      job({ status: "finalizing", phase: "uploading", frames_done: 100, progress_percent: 99 }),
      job({ status: "complete", frames_done: 100, progress_percent: 100, reel_id: "r" }),
    ];
    for (let turn = 0; turn < messages.length; turn++) {
      const shuffled = [...messages.slice(turn), ...messages.slice(0, turn), ...messages.slice(0, 3)].reverse();
      let known: ExportJob | null = null;
      for (const message of shuffled) {
        const next = mergeExport(known, message);
        expect(next.progress_percent).toBeGreaterThanOrEqual((known as ExportJob | null)?.progress_percent ?? 0);
        known = next;
      }
      expect(known).toMatchObject({ status: "complete", reel_id: "r" });
    }
  });

  it("starts again only for a new attempt", () => {
    const failed = job({ status: "failed", frames_done: 50, progress_percent: 50 });
    expect(mergeExport(failed, job({ frames_done: 1 }))).toBe(failed);
    expect(mergeExport(failed, job({ attempt: 2, frames_done: 1 }))).toMatchObject({ attempt: 2, frames_done: 1 });
    expect(mergeExport(job({ attempt: 2 }), failed)).toMatchObject({ attempt: 2, status: "running" });
  });
});
