import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";

const SRC = join(import.meta.dirname, "..", "src");
/** What a folder may import beside itself. Features never import each other. */
const MAY_IMPORT: Record<string, string[]> = {
  api: [],
  ui: [],
  feature: ["api", "ui"],
  routes: ["api", "ui", "feature"],
};

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path));
const source = (path: string) => readFileSync(join(SRC, path), "utf8");

/** "api", "ui", "routes", or "features/<domain>"; "" for the entry, which may import all. */
function room(path: string): string {
  const [first, second] = path.split("/");
  if (!path.includes("/")) return "";
  return first === "features" ? `features/${second}` : (first ?? "");
}

function kind(name: string): string {
  return name.startsWith("features/") ? "feature" : name;
}

it("imports follow the order api, ui < features < routes", () => {
  const wrong = files.flatMap((path) => {
    const from = room(path);
    const targets = [...source(path).matchAll(/from "(\.[^"]+)"/g)].map(([, target]) =>
      room(relative(SRC, join(SRC, dirname(path), target ?? ""))),
    );
    const isFine = (to: string) => from === "" || to === from || MAY_IMPORT[kind(from)]?.includes(kind(to));
    return targets.filter((to) => !isFine(to)).map((to) => `${path} imports ${to}`);
  });
  expect(files.length).toBeGreaterThan(30);
  expect(wrong).toEqual([]);
});

it("only src/api talks to the network", () => {
  const network = /\bfetch\(|new XMLHttpRequest|new WebSocket/;
  expect(files.filter((path) => network.test(source(path)) && room(path) !== "api")).toEqual([]);
});

it("nothing of the build's environment gets into the page", () => {
  expect(files.filter((path) => source(path).includes("import.meta.env"))).toEqual([]);
});
