/** The type declarations of the client fit what the documentation does with it. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../javascript/support/cluster.js";

const TSC = join(import.meta.dirname, "node_modules/.bin/tsc");
const FLAGS = ["--noEmit", "--strict", "--target", "es2023", "--module", "nodenext", "--lib", "es2023,dom,dom.iterable"];

let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-types-"));
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
  await cp(join(ROOT, "clients/javascript"), join(folder, "clients/javascript"), { recursive: true });
});

after(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says of a text. */
async function compiled(code) {
  const file = join(folder, "example.ts");
  await writeFile(file, code);
  const { stdout, status } = spawnSync(TSC, [...FLAGS, file], { encoding: "utf8", cwd: folder });
  return { stdout, status };
}

test("Every example compiles, and a mistake does not.", async () => {
  const text = await readFile(join(ROOT, "docs/reference/javascript.md"), "utf8");
  const examples = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
  assert.ok(examples.length >= 4);
  for (const code of examples) assert.deepEqual(await compiled(code), { stdout: "", status: 0 });
  const wrong = examples[0].replace('"#general"', '"general"');
  assert.match((await compiled(wrong)).stdout, /is not assignable to parameter of type/);
});

test("An event that the client does not know is listened to by its name, and one that it knows is what it is.", async () => {
  const on = (type, fields) => compiled(`import { Parley } from "./clients/javascript/parley.js";
    new Parley("http://127.0.0.1:8080", { username: "ann" }).on("${type}", ({ ${fields} }) => console.log(${fields}));`);
  assert.deepEqual(await on("skipped", "event, data"), { stdout: "", status: 0 });
  assert.deepEqual(await on("message", "sender, content"), { stdout: "", status: 0 });
  assert.match((await on("message", "event, data")).stdout, /does not exist on type 'MessageEvent'/);
  assert.match((await on("messages", "sender, content")).stdout, /does not exist on type 'Other'/);
});
