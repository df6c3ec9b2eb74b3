// DOT on standard input, SVG on standard output: Graphviz as WebAssembly, from the package named by the first argument.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.argv[2]);
const { instance } = await import(pathToFileURL(require.resolve("@viz-js/viz")));
const viz = await instance();
const drawn = viz.render(readFileSync(0, "utf8"), { format: "svg", engine: "dot" });
// Graphviz leaves out a label that it cannot read and calls that a warning. That it guesses a letter's width is none.
const serious = drawn.errors.filter(({ message }) => !message.includes("width of non-ASCII character"));
if (serious.length) throw new Error(serious.map(({ message }) => message).join("; "));
process.stdout.write(drawn.output);
