/** What is in the npm package, and what it does where there is no WebSocket. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { installed, removeFolders } from "./support/installed.js";

const MAX_BYTES = 15 * 1024;

let folder;

before(async () => { folder = await installed(); });
after(removeFolders);

/** What a program prints that runs in the folder, in a Node without a WebSocket. */
async function printed(name, code) {
  await writeFile(join(folder, name), code);
  return execFileSync(process.execPath, [name], { cwd: folder, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } });
}

test("The package holds the built client, its types, a licence and a page to read, and needs no other package.", async () => {
  const home = join(folder, "node_modules/parley-chat");
  assert.deepEqual((await readdir(home)).sort(), ["LICENSE", "README.md", "dist", "package.json"]);
  const { name, version, license, dependencies } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
  assert.deepEqual([name, version, license, dependencies], ["parley-chat", "0.1.0", "MIT", undefined]);
  assert.deepEqual((await readdir(join(folder, "node_modules"))).filter((name) => name[0] !== "."), ["parley-chat"]);
});

test("The minified client has at most 15 KiB after gzip.", async (t) => {
  const size = async (name) => gzipSync(await readFile(join(folder, "node_modules/parley-chat/dist", name)), { level: 9 }).length;
  const [minified, readable] = await Promise.all(["parley.min.js", "parley.js"].map(size));
  t.diagnostic(`${minified} bytes after gzip -9; not minified ${readable}`);
  assert.ok(minified <= MAX_BYTES, `${minified} bytes`);
});

const CONSTRUCTED = `
  if (globalThis.WebSocket) throw new Error("this test is about a Node without a WebSocket");
  for (const url of ["http://127.0.0.1:8080", "/", new URL("https://chat.example")]) {
    const client = new Parley(url, { username: "ann", storage: globalThis.localStorage });
    client.on("message", () => {});
    console.log(client.state, client.username, client.outbox.length);
  }
  new Parley("http://127.0.0.1:8080", { username: "ann" }).connect()
    .catch((error) => console.log(error instanceof ParleyError, error.code));
`;
const EXPECTED = "idle ann 0\nidle ann 0\nidle ann 0\ntrue no_websocket\n";

test("Imported where there is no WebSocket, the client can be made; only connecting is an error, with a code.", async () => {
  const code = `import { Parley, ParleyError } from "parley-chat"; ${CONSTRUCTED}`;
  assert.equal(await printed("esm.mjs", code), EXPECTED);
});

test("CommonJS requires the same client.", async () => {
  const code = `const { Parley, ParleyError } = require("parley-chat"); ${CONSTRUCTED}`;
  assert.equal(await printed("common.cjs", code), EXPECTED);
});

test("A URL that names no server, and a client without a user, are refused at once.", async () => {
  const code = `import { Parley } from "parley-chat";
    for (const args of [["ftp://host", { username: "ann" }], ["http://host", {}], ["http://host"], ["http://host", { guest: true, username: "ann" }]]) {
      try { new Parley(...args); console.log("made"); } catch (error) { console.log(error.name); }
    }`;
  assert.equal(await printed("refused.mjs", code), "TypeError\nTypeError\nTypeError\nTypeError\n");
});

test("An error in a listener is the application's to see, and the other listeners are called all the same.", async () => {
  const code = `import { Parley } from "parley-chat";
    const client = new Parley("http://host", { username: "ann" });
    process.on("uncaughtException", ({ message }) => console.log("uncaught", message));
    client.on("state", () => { throw new Error("mine"); });
    client.on("state", ({ state }) => console.log(state));
    client.close();`;
  assert.equal(await printed("throwing.mjs", code), "closed\nuncaught mine\n");
});
