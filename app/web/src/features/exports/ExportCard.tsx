import type { ReactNode } from "react";
import { isFinal } from "../../api/exportSocket";
import { describe } from "../../api/problem";
import type { ExportJob } from "../../api/types";
import { Button } from "../../ui/Button";
import { Notice } from "../../ui/Notice";
import { ProgressBar } from "../../ui/ProgressBar";
import { phaseText } from "./progress";
import { type LiveExport, useLiveExport } from "./useExports";

interface Props {
  initial: ExportJob;
  /** What to show for the finished reel. */
  renderReel: (reelId: string) => ReactNode;
}

/** One export from its start to its reel. */
export function ExportCard({ initial, renderReel }: Props) {
  const live = useLiveExport(initial);
  const { job } = live;
  return (
    <article className="stack" data-testid="export" data-status={job.status} aria-label="Render">
      {job.status === "complete" && job.reel_id !== null ? renderReel(job.reel_id) : <Progress live={live} />}
      {live.error !== null && job.status !== "complete" && <Notice tone="danger">{describe(live.error)}</Notice>}
    </article>
  );
}

function Progress({ live }: { live: LiveExport }) {
  const { job, socket } = live;
  if (live.refusal !== null) {
    return <Notice tone="danger">This render can no longer be followed: {live.refusal}</Notice>;
  }
  if (job.status === "failed") {
    return (
      <Notice tone="danger" actions={<Button onClick={live.retry}>Render again</Button>}>
        <strong>The render failed.</strong> {job.error?.message ?? "No reason was given."}
      </Notice>
    );
  }
  if (job.status === "cancelled") {
    return (
      <Notice tone="info" actions={<Button onClick={live.retry}>Render again</Button>}>
        The render was cancelled.
      </Notice>
    );
  }
  const detail =
    job.frames_total > 0
      ? `${job.frames_done} of ${job.frames_total} frames · ${Math.floor(job.progress_percent)} %`
      : "";
  return (
    <>
      <ProgressBar
        label={phaseText(job)}
        percent={job.status === "pending" ? null : job.progress_percent}
        detail={detail}
      />
      {socket === "lost" && (
        <Notice tone="info">The connection was lost; the render goes on in the cloud. Connecting again…</Notice>
      )}
      {!isFinal(job) && (
        <div className="actions">
          <Button variant="quiet" onClick={live.cancel}>
            Cancel render
          </Button>
        </div>
      )}
    </>
  );
}
