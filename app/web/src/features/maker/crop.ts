/** The crop of a vertical reel: the largest 9:16 rectangle in the source, moved from one place to another. */
import type { CropKeyframe, ProbeInfo } from "../../api/types";

export const ASPECT_RATIO = "9:16";
const RATIO = 9 / 16;

export interface CropBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The box at `pan` in [0, 1] along the free axis: left to right in a wide source, top to bottom in a narrow one. */
export function cropBox({ width, height }: Pick<ProbeInfo, "width" | "height">, pan: number): CropBox {
  const isWide = width >= height * RATIO;
  const box = isWide ? { width: height * RATIO, height } : { width, height: width / RATIO };
  const at = isWide ? { x: pan, y: 0.5 } : { x: 0.5, y: pan };
  return { x: (width - box.width) * at.x, y: (height - box.height) * at.y, ...box };
}

/** Keyframes at the first and last frame of a clip; a clip of one frame has only the first. */
export function panKeyframes(probe: ProbeInfo, frameCount: number, from: number, to: number): CropKeyframe[] {
  const first: CropKeyframe = { frame: 0, ...cropBox(probe, from), easing: "smooth" };
  if (frameCount < 2) return [first];
  return [first, { frame: frameCount - 1, ...cropBox(probe, to), easing: "smooth" }];
}
