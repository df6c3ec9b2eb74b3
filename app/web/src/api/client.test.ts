import { beforeEach, expect, it, vi } from "vitest";

vi.hoisted(() => vi.stubGlobal("localStorage", { getItem: () => "a", setItem: () => {}, removeItem: () => {} }));

const { setApiUrl } = await import("./address");
const { call } = await import("./client");
const { identity } = await import("./identity");
const { library } = await import("./library");

const asked: Request[] = [];

/** Answers calls from now on. */
function answer(status: number, document: object, headers: Record<string, string> = {}): void {
  const type = status < 400 ? "application/json" : "application/problem+json";
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push(new Request(url, init));
    return new Response(JSON.stringify(document), { status, headers: { "Content-Type": type, ...headers } });
  });
}

const synced = (version: number) => ({ "X-Sync-Status": "synced", "X-Library-Version": String(version) });
const sent = (name: string) => asked.at(-1)?.headers.get(name);

beforeEach(() => {
  setApiUrl("http://api.test");
  identity.signIn("a");
  library.forget();
});

it("names its session, and sends back the version that it was told", async () => {
  answer(200, {}, synced(7));
  await call("GET", "/api/games");
  expect([sent("X-Session-ID"), sent("X-Library-Version")]).toEqual([expect.stringMatching(/^[\w-]{36}$/), null]);
  await call("GET", "/api/games");
  expect(sent("X-Library-Version")).toBe("7");
});

it("does not take over the version that a refusal tells, but says that the session is stale", async () => {
  answer(200, {}, synced(7));
  await call("GET", "/api/games");
  answer(409, { code: "stale_session", current_version: 9 }, { "X-Sync-Status": "stale", "X-Library-Version": "9" });
  await expect(call("POST", "/api/games", { body: {} })).rejects.toMatchObject({ currentVersion: 9 });
  expect(library.headers()["X-Library-Version"]).toBe("7");
  expect(library.state()).toEqual({ isSessionStale: true, ageSeconds: null });
});

it("says nothing of staleness after another conflict", async () => {
  answer(409, { code: "stale_revision", current_revision: 9 });
  await expect(call("PUT", "/api/projects/p", { body: {} })).rejects.toMatchObject({ code: "stale_revision" });
  expect(library.state().isSessionStale).toBe(false);
});

it("takes no version from an answer that comes after another user signed in", async () => {
  answer(200, {}, synced(7));
  const answered = call("GET", "/api/games");
  identity.signIn("b");
  await answered;
  expect(library.headers()["X-Library-Version"]).toBeUndefined();
});

it("asks for what stands alone without a version, and takes none from its answer", async () => {
  answer(200, {}, synced(7));
  await call("GET", "/api/games");
  answer(200, {}, synced(9));
  await call("POST", "/api/media/m/complete", { body: {}, standsAlone: true });
  expect([sent("X-Session-ID"), sent("X-Library-Version")]).toEqual([expect.stringMatching(/^[\w-]{36}$/), null]);
  expect(library.headers()["X-Library-Version"]).toBe("7");
});
