import { beforeEach, expect, it, vi } from "vitest";

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("window", { location: { href: "https://app.example.test/reels" } });
});

it.each([
  ["https://api.example.test", "https://api.example.test/api/me", "wss://api.example.test/ws/x"],
  ["http://127.0.0.1:8000", "http://127.0.0.1:8000/api/me", "ws://127.0.0.1:8000/ws/x"],
  ["", "/api/me", "wss://app.example.test/ws/x"],
])("addresses of the API %j", async (apiUrl, http, socket) => {
  const { httpUrl, setApiUrl, socketUrl } = await import("./address");
  setApiUrl(apiUrl);
  expect([httpUrl("/api/me"), socketUrl("/ws/x")]).toEqual([http, socket]);
});

it("there is no address before the configuration", async () => {
  const { httpUrl } = await import("./address");
  expect(() => httpUrl("/api/me")).toThrow("load the configuration first");
});
