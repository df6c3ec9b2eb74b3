import { type ChangeEvent, type DragEvent, useState } from "react";
import { describe } from "../../api/problem";
import type { Media } from "../../api/types";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { formatBytes } from "../../ui/format";
import { Notice } from "../../ui/Notice";
import { ProgressBar } from "../../ui/ProgressBar";
import { MediaPicker } from "./MediaPicker";
import { MediaStatus } from "./MediaStatus";
import type { UploadState } from "./upload";
import { useUpload } from "./useUpload";

export interface ChosenMedia {
  media: Media;
  /** The local file, when it was uploaded from this page. */
  file: File | null;
}

interface Props {
  chosen: ChosenMedia | null;
  onChoose: (chosen: ChosenMedia | null) => void;
}

/** Step 1: a video, uploaded now or earlier. */
export function UploadCard({ chosen, onChoose }: Props) {
  const upload = useUpload((media, file) => onChoose({ media, file }));

  return (
    <Card title="Video" step={1}>
      {chosen !== null ? (
        <MediaStatus media={chosen.media} onReplace={() => onChoose(null)} />
      ) : upload.state === null || upload.state.phase === "aborted" ? (
        <>
          {upload.state !== null && <Aborted error={upload.state.error} />}
          <FileDrop onFile={upload.start} />
          <MediaPicker onPick={(media) => onChoose({ media, file: null })} />
        </>
      ) : (
        <Running state={upload.state} onResume={upload.resume} onAbort={upload.abort} />
      )}
    </Card>
  );
}

function Aborted({ error }: { error: unknown }) {
  return (
    <Notice tone="info">
      The upload was aborted.
      {error !== null && ` Its parts could not be removed now and expire by themselves: ${describe(error)}`}
    </Notice>
  );
}

function FileDrop({ onFile }: { onFile: (file: File) => void }) {
  const [isOver, setIsOver] = useState(false);
  const pick = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file) onFile(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    const file = event.dataTransfer.files[0];
    if (file) onFile(file);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut for the file input inside
    <div
      className={isOver ? "drop drop-over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <label className="button button-primary">
        Choose a video
        <input type="file" accept="video/*" className="visually-hidden" onChange={pick} />
      </label>
      <p className="muted">or drop it here. It goes straight to your storage, in parts that can be resumed.</p>
    </div>
  );
}

interface RunningProps {
  state: UploadState;
  onResume: () => void;
  onAbort: () => void;
}

function Running({ state, onResume, onAbort }: RunningProps) {
  const percent = state.totalBytes === 0 ? 0 : (100 * state.sentBytes) / state.totalBytes;
  const label = state.phase === "completing" ? `Checking ${state.filename}` : `Uploading ${state.filename}`;
  return (
    <div className="stack">
      <ProgressBar
        label={label}
        percent={percent}
        detail={`${formatBytes(state.sentBytes)} of ${formatBytes(state.totalBytes)}`}
      />
      {state.phase === "failed" ? (
        <Notice
          tone="danger"
          actions={
            <>
              <Button onClick={onResume}>Resume upload</Button>
              <Button variant="quiet" onClick={onAbort}>
                Abort
              </Button>
            </>
          }
        >
          <strong>The upload stopped.</strong> {describe(state.error)} What was sent is kept.
        </Notice>
      ) : (
        <div className="actions">
          <Button variant="quiet" onClick={onAbort}>
            Abort upload
          </Button>
        </div>
      )}
    </div>
  );
}
