/** Programs that run with the installed package: a bot, a script in CommonJS, and the examples of the documents. */

import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { Cluster, ROOT } from "../../javascript/support/cluster.js";
import { Listener } from "../../javascript/support/listening.js";
import { codeBlocks, REFERENCE, BOT_GUIDE } from "./support/documents.js";
import { installed, removeFolders } from "./support/installed.js";
import { Program, stopPrograms } from "./support/program.js";

const NODE = [process.execPath, "--experimental-websocket", "--disable-warning=ExperimentalWarning"];

let cluster, folder;

before(async () => {
  [cluster, folder] = await Promise.all([Cluster.start(), installed()]);
});

afterEach(async () => {
  Listener.closeAll();
  await stopPrograms();
});

after(async () => {
  await cluster?.stop();
  await removeFolders();
});

/** Run an example of a document against this cluster. */
async function run(code) {
  await writeFile(join(folder, "example.mjs"), code.replaceAll("http://127.0.0.1:8080", cluster.url));
  return new Program(folder, [...NODE, "example.mjs"]);
}

test("The bot of the examples answers, and comes back when its gateway is killed.", async () => {
  const { client } = await Listener.connected([cluster.gateway(1), cluster.gateway(2)], "player");
  await client.createRoom("table");
  await client.join("table");
  const bot = new Program(await installed({ example: "javascript-bot" }), ["npm", "start", "table"], { PARLEY: cluster.url });
  await bot.line(/dice is in table/);
  const answers = [];
  let answered = () => {};
  client.on("message", ({ sender, content }) => {
    if (sender === "dice") answers.push(content);
    answered();
  });
  const answer = (n) => new Promise((done) => {
    answered = () => answers.length >= n && done();
    answered();
  });
  client.send("#table", "!roll 2d6");
  await answer(1);
  assert.match(answers[0], /^player rolled [1-6], [1-6]$/);
  for (const gateway of ["gateway-1", "gateway-2"]) await cluster.restarted(gateway, await cluster.kill(gateway));
  client.send("#table", "!roll 1d1");
  await answer(2);
  assert.deepEqual(answers[1], "player rolled 1");
});

test("The guide shows the bot as it stands among the examples, in 15 lines.", async () => {
  const bot = await readFile(join(ROOT, "examples/javascript-bot/bot.mjs"), "utf8");
  assert.ok((await codeBlocks(BOT_GUIDE)).includes(bot));
  assert.ok(bot.split("\n").filter(Boolean).length <= 15);
});

test("A script in CommonJS sends a message, and ends.", async () => {
  const { client } = await Listener.connected(cluster.url, "reader");
  await client.createRoom("letters");
  await client.join("letters");
  await cp(join(import.meta.dirname, "scripts/say.cjs"), join(folder, "say.cjs"));
  const script = new Program(folder, [...NODE, "say.cjs", cluster.url, "letters", "hello from CommonJS"]);
  await script.line(/^accepted as 1$/);
  assert.equal(await script.ended, 0);
  const { items } = await client.history("#letters");
  assert.deepEqual(items.map(({ sender, content }) => [sender, content]), [["script", "hello from CommonJS"]]);
});

test("The examples of the client's reference do what the page says.", async () => {
  const find = (blocks, text) => blocks.find((code) => code.includes(text));
  const blocks = await codeBlocks(REFERENCE);
  const talk = await run(find(blocks, "kept as"));
  await talk.line(/^1 ann: hello$/);
  assert.match((await talk.line(/kept as.*/))[0], /^kept as 1 by gateway-\d$/);

  const eve = await Listener.connected(cluster.url, "eve");
  await eve.client.goOnline();
  eve.client.send("@bob", "before");
  await eve.next("accepted");
  const direct = await run(find(blocks, "I am away"));
  await direct.line(/1 unread from eve/);
  await eve.client.send("@bob", "are you there?");
  await eve.next("message", ({ content }) => content === "I am away, but I got: are you there?");
  await eve.next("seen", ({ user }) => user === "bob");

  const reading = await run(find(blocks, "before them"));
  await reading.line(/1 messages, and 0 before them/);
  await reading.line(/online: /);

  const lasting = await run(find(blocks, "whatever happens"));
  await lasting.line(/whatever happens: durable/);

  const loop = await run(find(blocks, "for await"));
  await loop.line(/^listening$/);
  await eve.client.join("general");
  await eve.client.send("#general", "stop");
  assert.equal(await loop.ended, 0);
});
