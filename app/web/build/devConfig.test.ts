import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "vite";
import { afterEach, expect, it, vi } from "vitest";

const closing: Array<() => Promise<unknown>> = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** An API that answers with the path it was asked for; its address. */
async function startApi(): Promise<string> {
  const api = createHttpServer((request, response) => response.end(request.url));
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => api.close(resolve)));
  return `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
}

async function startDevServer(): Promise<string> {
  const root = new URL("..", import.meta.url).pathname;
  const server = await createServer({
    root,
    logLevel: "silent",
    server: { port: 0, strictPort: false },
    optimizeDeps: { noDiscovery: true },
  });
  await server.listen();
  closing.push(() => server.close());
  const [address] = server.resolvedUrls?.local ?? [];
  if (address === undefined) throw new Error("the dev server has no local address");
  return address.replace(/\/$/, "");
}

it("the dev server says that the API is under its own origin, and leads there", async () => {
  vi.stubEnv("VITE_DEV_API", await startApi());
  const site = await startDevServer();

  const config = await fetch(`${site}/config.json`);
  expect(config.headers.get("Cache-Control")).toBe("no-store");
  expect(await config.json()).toEqual({ apiUrl: "" });
  expect(await (await fetch(`${site}/api/me`)).text()).toBe("/api/me");
  expect(await (await fetch(site)).text()).toContain("/@vite/client");
}, 60_000);
