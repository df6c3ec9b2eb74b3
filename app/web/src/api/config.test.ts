import { afterEach, describe, expect, it, vi } from "vitest";
import { ConfigError, loadConfig, parseConfig } from "./config";

const POLICY = { attempts: 3, baseMs: 1, maxMs: 1 };

/** Answers each call with the next of `answers`, or fails as a network does. */
function serve(...answers: Array<Response | null>) {
  const fetch = vi.fn(async (_path: string, _options: RequestInit) => {
    const answer = answers.shift() ?? null;
    if (answer === null) throw new TypeError("Failed to fetch");
    return answer;
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

const good = () => new Response('{"apiUrl": "https://api.example.test"}');

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("parseConfig", () => {
  it.each(["", "https://api.example.test", "http://127.0.0.1:8000"])("takes %j as the API's origin", (apiUrl) => {
    expect(parseConfig(JSON.stringify({ apiUrl }))).toEqual({ apiUrl });
  });

  it.each([
    ["<!doctype html>", "is missing"],
    ["", "is missing"],
    ["null", 'no text under "apiUrl"'],
    ["[]", 'no text under "apiUrl"'],
    ["{}", 'no text under "apiUrl"'],
    ['{"apiUrl": null}', 'no text under "apiUrl"'],
    ['{"apiUrl": "api.example.test"}', '"api.example.test", which is no origin'],
    ['{"apiUrl": "https://api.example.test/"}', "which is no origin"],
    ['{"apiUrl": "https://api.example.test/v1"}', "which is no origin"],
    ['{"apiUrl": "javascript:alert(1)"}', "which is no origin"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseConfig(text)).toThrow(ConfigError);
    expect(() => parseConfig(text)).toThrow(reason);
    expect(() => parseConfig(text)).toThrow("/config.json");
  });
});

describe("loadConfig", () => {
  it("asks for the file of this deployment, never for a kept one", async () => {
    const fetch = serve(good());
    expect(await loadConfig(POLICY)).toEqual({ apiUrl: "https://api.example.test" });
    expect(fetch).toHaveBeenCalledWith("/config.json", expect.objectContaining({ cache: "no-store" }));
  });

  it("tries again after a lost answer and after a server's failure", async () => {
    const fetch = serve(null, new Response("", { status: 503 }), good());
    expect(await loadConfig(POLICY)).toEqual({ apiUrl: "https://api.example.test" });
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it("says that it can't be reached when no try is answered", async () => {
    const fetch = serve();
    await expect(loadConfig(POLICY)).rejects.toThrow("/config.json can't be reached.");
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it("does not repeat what stays wrong", async () => {
    const missing = serve(new Response("", { status: 404 }), good());
    await expect(loadConfig(POLICY)).rejects.toThrow("status 404");
    expect(missing).toHaveBeenCalledTimes(1);
    const wrong = serve(new Response("<html>"), good());
    await expect(loadConfig(POLICY)).rejects.toThrow("is missing");
    expect(wrong).toHaveBeenCalledTimes(1);
  });
});
