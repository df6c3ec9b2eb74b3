/** What the form holds, and the frames it means. Seconds are as typed; frames are on the source's grid, [in, out). */
import type { ProbeInfo, Venue } from "../../api/types";

const DEFAULT_SECONDS = 6;

export interface Draft {
  name: string;
  opponent: string;
  playedOn: string;
  venue: Venue;
  rating: number;
  inSeconds: string;
  outSeconds: string;
  panFrom: number;
  panTo: number;
}

export type DraftErrors = Partial<Record<"name" | "opponent" | "playedOn" | "inSeconds" | "outSeconds", string>>;

export interface FrameRange {
  inFrame: number;
  outFrame: number;
}

/** The first seconds of the video, with the crop moving from left to right. */
export function newDraft(filename: string, probe: ProbeInfo, today: string): Draft {
  const seconds = Math.min(DEFAULT_SECONDS, probe.duration_ms / 1000);
  return {
    name: filename.replace(/\.[^.]*$/, "").slice(0, 80) || "Reel",
    opponent: "Friendly match",
    playedOn: today,
    venue: "home",
    rating: 5,
    inSeconds: "0",
    outSeconds: String(Math.round(seconds * 1000) / 1000),
    panFrom: 20,
    panTo: 80,
  };
}

export function frameRange({ inSeconds, outSeconds }: Draft, probe: ProbeInfo): FrameRange {
  const frame = (seconds: string) => Math.round((Number(seconds) * probe.fps_num) / probe.fps_den);
  return { inFrame: frame(inSeconds), outFrame: Math.min(frame(outSeconds), probe.frame_count) };
}

export function checkDraft(draft: Draft, probe: ProbeInfo): DraftErrors {
  const errors: DraftErrors = {};
  if (draft.name.trim() === "") errors.name = "Give the reel a name.";
  if (draft.opponent.trim() === "") errors.opponent = "Say who you played.";
  if (!/^\d{4}-\d{2}-\d{2}$/.test(draft.playedOn)) errors.playedOn = "Choose the day of the game.";
  const { inFrame, outFrame } = frameRange(draft, probe);
  const seconds = probe.duration_ms / 1000;
  if (!isNumber(draft.inSeconds) || inFrame < 0 || inFrame >= probe.frame_count) {
    errors.inSeconds = `Choose a time from 0 to below ${seconds.toFixed(2)} s.`;
  }
  if (!isNumber(draft.outSeconds) || Number(draft.outSeconds) > seconds + 0.05) {
    errors.outSeconds = `The video ends at ${seconds.toFixed(2)} s.`;
  } else if (outFrame <= inFrame) {
    errors.outSeconds = "The end has to be after the start.";
  }
  return errors;
}

function isNumber(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}
