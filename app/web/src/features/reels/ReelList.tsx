import { useState } from "react";
import { describe } from "../../api/problem";
import type { Reel } from "../../api/types";
import { Button } from "../../ui/Button";
import { formatBytes, formatDate, formatDuration } from "../../ui/format";
import { Notice } from "../../ui/Notice";
import { useProjectNames, useReels } from "./queries";
import { ReelPlayer } from "./ReelPlayer";

/** All reels of the library, the newest first; one plays at a time. */
export function ReelList() {
  const reels = useReels();
  const names = useProjectNames();
  const [open, setOpen] = useState<string | null>(null);

  if (reels.error !== null && reels.data === undefined) {
    return (
      <Notice tone="danger" actions={<Button onClick={() => reels.refetch()}>Try again</Button>}>
        <strong>The reels could not be listed.</strong> {describe(reels.error)}
      </Notice>
    );
  }
  if (reels.data === undefined) return <p className="muted">Loading…</p>;
  if (reels.data.length === 0) return <p className="muted">No reels yet. The first one appears here.</p>;
  const newestFirst = [...reels.data].sort((a, b) => b.created_at.localeCompare(a.created_at));
  return (
    <ul className="reel-list">
      {newestFirst.map((reel) => {
        const title = (reel.project_id !== null && names.get(reel.project_id)) || "Reel";
        const isOpen = open === reel.id;
        return (
          <li key={reel.id} data-testid="reel-item">
            <ReelLine reel={reel} title={title} isOpen={isOpen} onToggle={() => setOpen(isOpen ? null : reel.id)} />
            {isOpen && <ReelPlayer reelId={reel.id} title={title} />}
          </li>
        );
      })}
    </ul>
  );
}

interface LineProps {
  reel: Reel;
  title: string;
  isOpen: boolean;
  onToggle: () => void;
}

function ReelLine({ reel, title, isOpen, onToggle }: LineProps) {
  return (
    <div className="reel-line">
      <div className="reel-thumb" style={{ aspectRatio: `${reel.width} / ${reel.height}` }} aria-hidden="true" />
      <div className="reel-text">
        <strong>{title}</strong> <span className="tag">v{reel.version}</span>
        {!reel.current && <span className="tag tag-warn">older edit</span>}
        <p className="muted tabular">
          {formatDuration(reel.duration_ms)} · {formatBytes(reel.size_bytes)} · {formatDate(reel.created_at)}
        </p>
      </div>
      <Button variant="quiet" aria-expanded={isOpen} onClick={onToggle}>
        {isOpen ? "Close" : "Play"}
      </Button>
    </div>
  );
}
