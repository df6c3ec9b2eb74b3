/** Puts the content security policy into the built `_headers`, in place of one marker line of `public/_headers`. */
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Plugin } from "vite";
import { contentSecurityPolicy, type Origins } from "./csp.ts";

const MARKER = "{{content-security-policy}}";

export function headersPlugin(origins: Origins): Plugin {
  const policy = contentSecurityPolicy(origins);
  let outDir = "";
  return {
    name: "reel-ballers:headers",
    apply: "build",
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      const path = join(outDir, "_headers");
      const text = await readFile(path, "utf8");
      if (!text.includes(MARKER)) throw new Error(`${path} has no line with ${MARKER}; put it back in public/_headers`);
      await writeFile(path, text.replace(MARKER, policy));
    },
  };
}
