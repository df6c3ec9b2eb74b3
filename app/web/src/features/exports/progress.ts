/** Joins what is known of an export with what arrives: within one attempt nothing goes backwards. */
import type { ExportJob, ExportStatus, Phase } from "../../api/types";

const STATUS_ORDER: Record<ExportStatus, number> = {
  pending: 0,
  running: 1,
  rendered: 2,
  finalizing: 3,
  complete: 4,
  failed: 4,
  cancelled: 4,
};
const PHASE_ORDER: Phase[] = ["queued", "reading", "rendering", "uploading"];

/** A later attempt replaces an earlier one; an older message of the same attempt changes nothing. */
export function mergeExport(known: ExportJob | null, next: ExportJob): ExportJob {
  if (known === null || next.attempt > known.attempt) return next;
  const isOlder = STATUS_ORDER[next.status] < STATUS_ORDER[known.status];
  if (next.attempt < known.attempt || isOlder || STATUS_ORDER[known.status] === STATUS_ORDER.complete) return known;
  const isPhaseOlder = PHASE_ORDER.indexOf(next.phase) < PHASE_ORDER.indexOf(known.phase);
  return {
    ...next,
    phase: isPhaseOlder ? known.phase : next.phase,
    frames_done: Math.max(known.frames_done, next.frames_done),
    frames_total: Math.max(known.frames_total, next.frames_total),
    progress_percent: Math.max(known.progress_percent, next.progress_percent),
  };
}

/** What the export does now, in words. */
export function phaseText(job: ExportJob): string {
  switch (job.status) {
    case "pending":
      return "Waiting for a machine";
    case "running":
      return runningText(job.phase);
    case "rendered":
    case "finalizing":
      return "Finishing the reel";
    case "complete":
      return "Done";
    case "failed":
      return "Failed";
    case "cancelled":
      return "Cancelled";
  }
}

function runningText(phase: Phase): string {
  switch (phase) {
    case "queued":
      return "Starting";
    case "reading":
      return "Reading the video";
    case "rendering":
      return "Rendering";
    case "uploading":
      return "Storing the reel";
  }
}
