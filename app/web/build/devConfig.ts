/** The dev server's `/config.json`: the API is under the page's own origin, behind Vite's proxy. */
import type { Plugin } from "vite";

export function devConfig(): Plugin {
  return {
    name: "reel-ballers:dev-config",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use("/config.json", (_request, response) => {
        response.setHeader("Content-Type", "application/json");
        response.setHeader("Cache-Control", "no-store");
        response.end(JSON.stringify({ apiUrl: "" }));
      });
    },
  };
}
