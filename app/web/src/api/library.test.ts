import { describe, expect, it, vi } from "vitest";
import { Library } from "./library";

const synced = (version: number) => new Headers({ "X-Sync-Status": "synced", "X-Library-Version": String(version) });
const stale = (version: number, age: number) =>
  new Headers({ "X-Sync-Status": "stale", "X-Library-Version": String(version), Age: String(age) });
const version = (library: Library) => library.headers()["X-Library-Version"];

describe("Library", () => {
  it("is a session of its own that has seen nothing", () => {
    const library = new Library();
    expect(Object.keys(library.headers())).toEqual(["X-Session-ID"]);
    expect(library.headers()).toEqual(library.headers());
    expect(library.headers()).not.toEqual(new Library().headers());
  });

  it("sends back the newest version that an answer had, also when answers overtake each other", () => {
    const library = new Library();
    for (const answer of [synced(0), synced(7), synced(5)]) library.reportAnswer(answer);
    expect(version(library)).toBe("7");
  });

  it("learns nothing from answers that used no library", () => {
    const library = new Library();
    library.reportAnswer(stale(7, 3));
    library.reportAnswer(new Headers());
    expect([version(library), library.state().ageSeconds]).toEqual(["7", 3]);
  });

  it("is stale from a refusal until a refresh has brought the version that the refusal told", async () => {
    const library = new Library();
    library.reportAnswer(synced(3));
    library.reportStaleSession(5);
    expect([library.state().isSessionStale, version(library)]).toEqual([true, "3"]);
    await library.refresh(async () => library.reportAnswer(synced(5)));
    expect([library.state().isSessionStale, version(library)]).toEqual([false, "5"]);
  });

  it.each([
    ["failed", async () => {}],
    ["brought an older state", async (library: Library) => library.reportAnswer(stale(4, 9))],
  ])("stays stale when the refresh %s", async (_, refetch) => {
    const library = new Library();
    library.reportAnswer(synced(3));
    library.reportStaleSession(5);
    await library.refresh(() => refetch(library));
    expect(library.state().isSessionStale).toBe(true);
  });

  it("tells how old the state is until storage answers", () => {
    const library = new Library();
    const ages: Array<number | null> = [];
    library.subscribe(() => ages.push(library.state().ageSeconds));
    for (const answer of [synced(3), stale(3, 12), stale(3, 12), stale(3, 22), synced(3), synced(4)]) {
      library.reportAnswer(answer);
    }
    expect(ages).toEqual([12, 22, null]);
  });

  it("knows nothing of the library of another user", () => {
    const library = new Library();
    library.reportAnswer(stale(3, 12));
    library.reportStaleSession(5);
    library.forget();
    expect([version(library), library.state()]).toEqual([undefined, { isSessionStale: false, ageSeconds: null }]);
  });

  it("tells its listeners of changes only, and only while they listen", () => {
    const library = new Library();
    const listener = vi.fn();
    const stop = library.subscribe(listener);
    library.reportStaleSession(5);
    library.reportStaleSession(6);
    stop();
    library.forget();
    expect(listener).toHaveBeenCalledTimes(1);
  });
});
