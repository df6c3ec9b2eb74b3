import { useState } from "react";
import { describe } from "../../api/problem";
import { Button } from "../../ui/Button";
import { formatBytes, formatDuration, formatFps } from "../../ui/format";
import { Notice } from "../../ui/Notice";
import { useReel, useReelDownload } from "./queries";

interface Props {
  reelId: string;
  title: string;
  /** Shown above the facts, where the title is not already said. */
  heading?: string;
}

/** Plays one reel from its presigned address and offers the file. */
export function ReelPlayer({ reelId, title, heading }: Props) {
  const reel = useReel(reelId);
  const download = useReelDownload(reelId);
  const [isBroken, setIsBroken] = useState(false);
  const error = reel.error ?? download.error;
  const reload = () => {
    setIsBroken(false);
    void reel.refetch();
    void download.refetch();
  };

  if (error !== null || isBroken) {
    return (
      <Notice tone="danger" actions={<Button onClick={reload}>Refresh the link</Button>}>
        <strong>The reel can't be played.</strong>{" "}
        {error === null ? "Its link has expired, or this browser can't decode it." : describe(error)}
      </Notice>
    );
  }
  if (!reel.data || !download.data) return <p className="muted">Opening the reel…</p>;
  const { width, height, fps_num, fps_den, duration_ms, size_bytes } = reel.data;
  return (
    <div className="reel-player">
      {/* biome-ignore lint/a11y/useMediaCaption: a recording of a game has no captions */}
      <video
        data-testid="reel-video"
        aria-label={`Reel ${title}`}
        src={download.data.url}
        controls
        playsInline
        preload="metadata"
        width={width}
        height={height}
        onError={() => setIsBroken(true)}
      />
      <div className="reel-side">
        {heading !== undefined && <h3>{heading}</h3>}
        <p className="muted tabular" data-testid="reel-facts">
          {width}×{height} · {formatFps(fps_num, fps_den)} · {formatDuration(duration_ms)} · {formatBytes(size_bytes)}
        </p>
        <a className="button button-primary" href={download.data.url} download={download.data.filename}>
          Download
        </a>
      </div>
    </div>
  );
}
