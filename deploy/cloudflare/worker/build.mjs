// Bundles the Worker into the one file that is deployed: dist/worker.js.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The deployment's settings. The file is plain JSON, because OpenTofu reads it too. */
export const settings = JSON.parse(readFileSync(here("wrangler.jsonc"), "utf8"));

/** The text of the bundle. Names are kept, so that a stack trace can be read. */
export async function bundle() {
  const result = await build({
    entryPoints: [here(settings.main)],
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd"],
    legalComments: "none",
    outfile: here("dist/worker.js"),
    write: false,
  });
  return result.outputFiles[0].text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { mkdirSync, writeFileSync } = await import("node:fs");
  mkdirSync(here("dist"), { recursive: true });
  writeFileSync(here("dist/worker.js"), await bundle());
}
