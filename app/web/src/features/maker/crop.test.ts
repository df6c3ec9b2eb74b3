import { describe, expect, it } from "vitest";
import type { ProbeInfo } from "../../api/types";
import { cropBox, panKeyframes } from "./crop";

const probe = (width: number, height: number) => ({ width, height }) as ProbeInfo;

describe("cropBox", () => {
  it("keeps 9:16 and stays inside the frame, whatever the source and the pan", () => {
    for (const [width, height] of [
      [1920, 1080],
      [3840, 2160],
      [1080, 1920],
      [720, 1600],
      [640, 480],
    ] as const) {
      for (const pan of [0, 0.2, 0.5, 1]) {
        const box = cropBox({ width, height }, pan);
        expect(box.width / box.height).toBeCloseTo(9 / 16, 9);
        expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width + 1e-9);
        expect(box.y + box.height).toBeLessThanOrEqual(height + 1e-9);
      }
    }
  });

  it("is in the middle at one half", () => {
    const { x, width } = cropBox({ width: 1920, height: 1080 }, 0.5);
    expect(x + width / 2).toBe(960);
  });
});

describe("panKeyframes", () => {
  it("has the first and the last frame of the clip, left before right", () => {
    const [first, last] = panKeyframes(probe(1920, 1080), 180, 0.2, 0.8);
    expect([first?.frame, last?.frame]).toEqual([0, 179]);
    expect(first?.x).toBeLessThan(last?.x ?? 0);
  });

  it("has one keyframe for a clip of one frame", () => {
    expect(panKeyframes(probe(1920, 1080), 1, 0, 1)).toHaveLength(1);
  });
});
