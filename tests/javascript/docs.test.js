/** The examples of the documentation, run as they stand there. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { createInterface } from "node:readline";
import { Cluster, IN_TIME, ROOT } from "./support/cluster.js";
import { Listener } from "./support/listening.js";

let cluster, folder;
const running = [];

before(async () => {
  cluster = await Cluster.start();
  folder = await mkdtemp(join(tmpdir(), "parley-docs-"));
  await cp(join(ROOT, "clients/javascript"), join(folder, "client"), { recursive: true });
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
});

after(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => {
  Listener.closeAll();
  for (const child of running.splice(0)) child.kill();
});

async function examples(page) {
  const text = await readFile(join(ROOT, "docs", page), "utf8");
  return [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
}

/** Run an example against this cluster; `line(wanted)` waits for a line that it prints. */
async function run(code, ...words) {
  const file = join(folder, "example.js");
  const here = code.replaceAll("./clients/javascript/", "./client/").replaceAll("http://127.0.0.1:8080", cluster.url);
  await writeFile(file, here);
  const child = spawn(process.execPath, ["--experimental-websocket", "--disable-warning=ExperimentalWarning", file, ...words]);
  running.push(child);
  const lines = [], looks = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      for (const look of looks) look();
    });
  }
  const line = (wanted) => new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`no ${wanted} in\n${lines.join("\n")}`)), IN_TIME);
    const look = () => {
      const found = lines.find((one) => one.includes(wanted));
      if (found === undefined) return;
      clearTimeout(timer);
      looks.delete(look);
      done(found);
    };
    looks.add(look);
    look();
  });
  const ended = new Promise((done) => child.on("exit", done));
  return { lines, line, ended };
}

test("The examples about the client do what the page says.", async () => {
  const [talk, , direct, history, lost] = await examples("reference/javascript.md");
  const first = await run(talk);
  await first.line("1 ann: hello");
  assert.match(await first.line("kept as"), /^kept as 1 by gateway-\d$/);
  assert.equal(first.lines.length, 2);

  const eve = await Listener.connected(cluster.url, "eve");
  await eve.client.goOnline();
  eve.client.send("@bob", "before");
  await eve.next("accepted");
  const away = await run(direct);
  await away.line("1 unread from eve");
  await eve.client.send("@bob", "are you there?");
  await eve.next("message", ({ content }) => content === "I am away, but I got: are you there?");
  await eve.next("seen", ({ user }) => user === "bob");

  const reading = await run(history);
  await reading.line("1 messages, and 0 before them");
  await reading.line("online: ");

  const lasting = await run(lost);
  await lasting.line("whatever happens: durable");
});

test("The bot in 15 lines answers, and comes back when its gateway is killed.", async () => {
  const [code] = await examples("get-started/bot.md");
  assert.ok(code.split("\n").filter(Boolean).length <= 15);
  const { client } = await Listener.connected([cluster.gateway(1), cluster.gateway(2)], "player");
  await client.createRoom("table");
  await client.join("table");
  const bot = await run(code, "table");
  await bot.line("dice is in table");
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
