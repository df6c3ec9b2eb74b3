import { useEffect, useMemo, useState } from "react";
import type { ExportJob } from "../api/types";
import { ExportCard } from "../features/exports/ExportCard";
import { useFollowedExports } from "../features/exports/useExports";
import { ReelForm } from "../features/maker/ReelForm";
import { useMedia, useMediaUrl } from "../features/media/queries";
import { type ChosenMedia, UploadCard } from "../features/media/UploadCard";
import { ReelList } from "../features/reels/ReelList";
import { ReelPlayer } from "../features/reels/ReelPlayer";
import { Card } from "../ui/Card";

/** From a video to a reel in three steps, beside the reels that exist. */
export function Home() {
  const [chosen, setChosen] = useState<ChosenMedia | null>(null);
  const { exports, follow } = useFollowedExports();

  return (
    <main className="home">
      <h1 className="visually-hidden">Reel Ballers</h1>
      <div className="column">
        <UploadCard chosen={chosen} onChoose={setChosen} />
        {chosen === null ? (
          <Card title="Clip and crop" step={2} isWaiting>
            <p className="muted">Choose the seconds and how the vertical frame moves, once there is a video.</p>
          </Card>
        ) : (
          <Framing key={chosen.media.id} chosen={chosen} onStarted={follow} />
        )}
        <Card title="Render" step={3} isWaiting={exports.length === 0}>
          {exports.length === 0 && <p className="muted">The reel is made in the cloud; you can watch it here.</p>}
          {exports.map((job) => (
            <ExportCard
              key={job.id}
              initial={job}
              renderReel={(reelId) => <ReelPlayer reelId={reelId} title="just rendered" heading="Your reel is ready" />}
            />
          ))}
        </Card>
      </div>
      <aside className="column">
        <Card title="Your reels">
          <ReelList />
        </Card>
      </aside>
    </main>
  );
}

function Framing({ chosen, onStarted }: { chosen: ChosenMedia; onStarted: (job: ExportJob) => void }) {
  const media = useMedia(chosen.media);
  const localUrl = useMemo(() => (chosen.file === null ? null : URL.createObjectURL(chosen.file)), [chosen.file]);
  const remoteUrl = useMediaUrl(media.id, localUrl === null && media.status === "ready");
  useEffect(() => {
    if (localUrl !== null) return () => URL.revokeObjectURL(localUrl);
    return undefined;
  }, [localUrl]);
  const isReady = media.status === "ready" && media.probe !== null;
  return (
    <Card title="Clip and crop" step={2} isWaiting={!isReady}>
      {isReady && media.probe !== null ? (
        <ReelForm media={media} probe={media.probe} previewUrl={localUrl ?? remoteUrl} onStarted={onStarted} />
      ) : (
        <p className="muted">This opens when the video has been read.</p>
      )}
    </Card>
  );
}
