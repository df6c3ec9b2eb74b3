import { expect, it } from "vitest";
import type { ProbeInfo } from "../../api/types";
import { checkDraft, frameRange, newDraft } from "./draft";

const ntsc = { fps_num: 30000, fps_den: 1001, frame_count: 300, duration_ms: 10_010 } as ProbeInfo;
const short = { fps_num: 25, fps_den: 1, frame_count: 50, duration_ms: 2000 } as ProbeInfo;

it("starts with the first six seconds, or all of a shorter video", () => {
  const draft = newDraft("cup.final.mp4", ntsc, "2026-05-01");
  expect(draft).toMatchObject({ name: "cup.final", inSeconds: "0", outSeconds: "6" });
  expect(frameRange(draft, ntsc)).toEqual({ inFrame: 0, outFrame: 180 });
  expect(frameRange(newDraft("a.mp4", short, "2026-05-01"), short)).toEqual({ inFrame: 0, outFrame: 50 });
});

it("names the field that cannot be used", () => {
  const draft = newDraft("a.mp4", short, "2026-05-01");
  expect(checkDraft(draft, short)).toEqual({});
  expect(checkDraft({ ...draft, outSeconds: "3" }, short).outSeconds).toContain("2.00 s");
  expect(checkDraft({ ...draft, inSeconds: "1.5", outSeconds: "1" }, short).outSeconds).toContain("after the start");
  expect(checkDraft({ ...draft, inSeconds: "x" }, short).inSeconds).toBeDefined();
});
