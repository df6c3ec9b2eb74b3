import { afterEach, expect, it, vi } from "vitest";
import { inView } from "./visibility";

class Page extends EventTarget {
  visibilityState = "hidden";

  change(state: string): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
});

it("waits for the page to be in view", async () => {
  const page = new Page();
  vi.stubGlobal("document", page);
  const seen: string[] = [];
  const isOver = inView().then(() => seen.push("in view"));
  page.change("hidden");
  await Promise.resolve();
  expect(seen).toEqual([]);
  page.change("visible");
  await isOver;
  expect(seen).toEqual(["in view"]);
});

it("does not wait when it is", async () => {
  const page = new Page();
  page.visibilityState = "visible";
  vi.stubGlobal("document", page);
  await expect(inView()).resolves.toBeUndefined();
});
