import type { Media } from "../../api/types";
import { Button } from "../../ui/Button";
import { formatBytes, formatDuration, formatFps } from "../../ui/format";
import { Notice } from "../../ui/Notice";
import { ProgressBar } from "../../ui/ProgressBar";
import { useMedia } from "./queries";

/** What is known of the chosen video: being read, its facts, or why it cannot be used. */
export function MediaStatus({ media: initial, onReplace }: { media: Media; onReplace: () => void }) {
  const media = useMedia(initial);
  const replace = (
    <Button variant="quiet" onClick={onReplace}>
      Use another video
    </Button>
  );
  if (media.status === "probing") {
    return <ProgressBar label={`Reading ${media.filename}`} percent={null} detail="size, rate, sound" />;
  }
  if (media.probe === null) {
    return (
      <Notice tone="danger" actions={replace}>
        <strong>{media.filename} can't be used.</strong> {media.error ?? `Its state is ${media.status}.`}
      </Notice>
    );
  }
  const { width, height, fps_num, fps_den, duration_ms, audio_codec } = media.probe;
  return (
    <div className="media-facts">
      <div>
        <strong data-testid="media-ready">{media.filename}</strong>
        <p className="muted tabular">
          {width}×{height} · {formatFps(fps_num, fps_den)} · {formatDuration(duration_ms)} ·{" "}
          {formatBytes(media.size_bytes)} · {audio_codec === null ? "no sound" : "with sound"}
        </p>
      </div>
      {replace}
    </div>
  );
}
