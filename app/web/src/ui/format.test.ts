import { expect, it } from "vitest";
import { formatBytes, formatDuration, formatFps } from "./format";

it("writes amounts the way people read them", () => {
  expect([0, 999, 1500, 123_456_789, 4.3e9].map(formatBytes)).toEqual(["0 B", "999 B", "1.5 kB", "123 MB", "4.3 GB"]);
  expect([0, 6000, 59_990, 61_500].map(formatDuration)).toEqual(["0:00.0", "0:06.0", "1:00.0", "1:01.5"]);
  expect([formatFps(30, 1), formatFps(30000, 1001)]).toEqual(["30 fps", "29.97 fps"]);
});
