/** The types of the npm package, as TypeScript reads them in an application for browsers. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { codeBlocks, README, REACT, REFERENCE } from "./support/documents.js";
import { installed, removeFolders } from "./support/installed.js";

const STRICT = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"];
const FLAGS = ["--noEmit", "--target", "es2023",
  "--lib", "es2023,dom,dom.iterable", "--jsx", "react-jsx", "--types", "node"];
const RESOLUTIONS = { nodenext: ["--module", "nodenext"], bundler: ["--module", "esnext", "--moduleResolution", "bundler"] };

let folder;

before(async () => {
  folder = await installed({ from: join(import.meta.dirname, "types"), dependencies: true });
});

after(removeFolders);

/** What the compiler says of files. */
function compiled(files, { resolution = "nodenext", strict = STRICT } = {}) {
  const compiler = join(import.meta.dirname, "node_modules/.bin/tsc");
  return spawnSync(compiler, [...FLAGS, ...strict, ...RESOLUTIONS[resolution], ...files], { encoding: "utf8", cwd: folder }).stdout;
}

for (const resolution of Object.keys(RESOLUTIONS)) {
  test(`Requests, events and hooks have types, and mistakes are found, with the resolution ${resolution}.`, () => {
    const files = ["usage.ts", "hooks.tsx", ...(resolution === "nodenext" ? ["common.cts"] : [])];
    assert.equal(compiled(files, { resolution }), "");
  });
}

test("Every example of the documents compiles.", async () => {
  const files = [];
  for (const [page, language, ending] of [[REFERENCE, "js", "ts"], [README, "js", "ts"], [README, "jsx", "tsx"], [REACT, "jsx", "tsx"]]) {
    for (const code of await codeBlocks(page, language)) {
      files.push(`example-${files.length}.${ending}`);
      await writeFile(join(folder, files.at(-1)), `${code}\nexport {};\n`);
    }
  }
  assert.ok(files.length >= 12);
  assert.equal(compiled(files, { strict: ["--strict", "false"] }), ""); // they are JavaScript
});

test("No exported type has the name of a global of browsers, which it would hide.", async () => {
  const home = join(folder, "node_modules/parley-chat/dist");
  const texts = await Promise.all(["parley.d.ts", "events.d.ts", "protocol.d.ts", "react.d.ts"].map((name) => readFile(join(home, name), "utf8")));
  const declared = texts.flatMap((text) => [...text.matchAll(/^export (?:declare )?(?:type|interface|class|function|const) (\w+)/gm)].map(([, name]) => name));
  assert.ok(declared.length > 30);
  const uses = declared.map((name) => `export type Use_${name} = typeof globalThis.${name} | ${name};`).join("\n");
  await writeFile(join(folder, "names.ts"), `${uses}\nexport {};\n`);
  const found = compiled(["names.ts"]);
  const known = declared.filter((name) => !found.includes(`Cannot find name '${name}'`));
  assert.deepEqual(known, []);
  await writeFile(join(folder, "names.ts"), "export type A = MessageEvent;\n");
  assert.equal(compiled(["names.ts"]), ""); // the check above knows such globals
});
