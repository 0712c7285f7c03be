/** Builds the npm package's `dist` of `src`: bundles for import and require, and their types. */

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const SRC = join(import.meta.dirname, "src");
const DIST = join(import.meta.dirname, "dist");

const COMMON = {
  bundle: true, target: "es2022", platform: "neutral", external: ["react"], sourcemap: "linked", logLevel: "warning",
};

// Frameworks with React Server Components run a module with this mark in the browser, too: hooks need it.
const HOOKS = { banner: { js: '"use client";' } };

/** The bundles: entry, file, and options. */
const BUNDLES = [
  ["parley.js", "parley.js", { format: "esm" }],
  ["parley.js", "parley.cjs", { format: "cjs" }],
  ["parley.js", "parley.min.js", { format: "esm", minify: true }],
  ["react.js", "react.js", { format: "esm", ...HOOKS }],
  ["react.js", "react.cjs", { format: "cjs", ...HOOKS }],
];

/** The same types for `require`: TypeScript reads a `.d.ts` of this package as those of an ES module. */
async function writeTypes() {
  for (const name of (await readdir(SRC)).filter((name) => name.endsWith(".d.ts"))) {
    const types = await readFile(join(SRC, name), "utf8");
    await writeFile(join(DIST, name), types);
    const forRequire = types.replace(/(from "\.\/[\w-]+)\.js"/g, '$1.cjs"');
    await writeFile(join(DIST, name.replace(".d.ts", ".d.cts")), forRequire);
  }
}

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST);
for (const [entry, file, options] of BUNDLES) {
  await build({ ...COMMON, ...options, entryPoints: [join(SRC, entry)], outfile: join(DIST, file) });
}
await writeTypes();
