import { useEffect, useRef } from "react";
import type { ProbeInfo } from "../../api/types";
import { type CropBox, cropBox } from "./crop";

interface Props {
  probe: ProbeInfo;
  /** Where the picture comes from; null shows the boxes alone. */
  src: string | null;
  seconds: number;
  /** Percent of the free way, 0-100. */
  from: number;
  to: number;
}

/** The source at the in point, with the crop where it starts (solid) and where it ends (dashed). */
export function CropPreview({ probe, src, seconds, from, to }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const seek = () => {
    if (video.current && Number.isFinite(seconds)) video.current.currentTime = Math.max(0, seconds);
  };
  useEffect(seek, [seconds]);
  const start = cropBox(probe, from / 100);
  const end = cropBox(probe, to / 100);
  const label = `The crop moves from ${from} to ${to} percent of the way across the picture.`;
  return (
    <figure className="crop">
      <div className="crop-preview" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
        {src !== null && (
          <video ref={video} src={src} muted playsInline preload="auto" tabIndex={-1} onLoadedMetadata={seek} />
        )}
        <svg viewBox={`0 0 ${probe.width} ${probe.height}`} role="img" aria-label={label}>
          <path
            className="crop-shade"
            fillRule="evenodd"
            d={`${path(0, 0, probe.width, probe.height)} ${boxPath(start)}`}
          />
          <path className="crop-start" d={boxPath(start)} />
          <path className="crop-end" d={boxPath(end)} />
        </svg>
      </div>
      <figcaption className="muted">Green is where the crop starts, dashed where it ends.</figcaption>
    </figure>
  );
}

function boxPath({ x, y, width, height }: CropBox): string {
  return path(x, y, width, height);
}

function path(x: number, y: number, width: number, height: number): string {
  return `M${x} ${y}h${width}v${height}h${-width}z`;
}
