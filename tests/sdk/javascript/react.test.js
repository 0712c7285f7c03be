/** The React application of the examples, built by Vite and opened in Chromium. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "../../javascript/support/cluster.js";
import { Listener } from "../../javascript/support/listening.js";
import { launch, opened } from "./support/browser.js";
import { installed, removeFolders } from "./support/installed.js";
import { Program, stopPrograms } from "./support/program.js";

const LOCAL = /http:\/\/127\.0\.0\.1:\d+/;

let cluster, browser, folder;

before(async () => {
  [cluster, browser, folder] = await Promise.all([Cluster.start(), launch(), installed({ example: "react", dependencies: true })]);
});

afterEach(async () => {
  Listener.closeAll();
  await stopPrograms();
});

after(async () => {
  await browser?.close();
  await cluster?.stop();
  await removeFolders();
});

/** Run a script of the application; resolves with the address of its page. */
async function served(script) {
  const env = { VITE_PARLEY: cluster.url };
  if (script === "preview") assert.equal(await new Program(folder, ["npm", "run", "build"], env).ended, 0);
  const server = new Program(folder, ["npm", "run", script, "--", "--host", "127.0.0.1", "--port", "0"], env);
  const [url] = await server.line(LOCAL);
  return url;
}

/** Ann, signed in on the page. */
async function signedIn(url, name = "ann") {
  const { page, sent, close } = await opened(browser, url);
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Enter" }).click();
  await page.getByText(`${name} is connected to gateway-`).waitFor();
  return { page, sent, close };
}

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

test("A built page chats with another client, and goes on when its gateway is killed.", async () => {
  const url = await served("preview");
  const { page, close } = await signedIn(url);
  await page.getByRole("button", { name: "Create the room" }).click();
  await page.getByLabel("Message").waitFor();
  const bob = await Listener.connected(cluster.url, "bob");
  const { client } = bob;
  await client.join("general");
  await say(page, "Hello, Bob");
  await bob.next("message", ({ sender, content }) => sender === "ann" && content === "Hello, Bob");
  await client.send("#general", "Hello, Ann");
  await page.getByText("bob: Hello, Ann").waitFor();
  // It ends after 2.2 s: a single sign might come and go while the browser stands still.
  const typing = setInterval(() => client.typing("#general"), 100);
  await page.getByText("bob typing").waitFor().finally(() => clearInterval(typing));

  const status = await page.getByRole("status").first().textContent();
  const [gateway] = /gateway-\d/.exec(status);
  const pid = await cluster.kill(gateway);
  const sends = Array.from({ length: 10 }, (_, n) => client.send("#general", `meanwhile ${n}`));
  await say(page, "Still here");
  await Promise.all(sends);
  await bob.next("message", ({ sender, content }) => sender === "ann" && content === "Still here");
  await page.getByText("ann is connected to gateway-").waitFor();
  await page.getByText("bob: meanwhile 9").waitFor();
  await page.getByText("ann: Still here").waitFor();
  const shown = await page.getByRole("listitem").allTextContents();
  const { items } = await client.history("#general");
  assert.deepEqual(shown, items.map(({ sender, content }) => `${sender}: ${content}`));
  assert.equal(shown.length, 13);
  await close();
  await cluster.restarted(gateway, pid);
});

test("In React's StrictMode, which mounts everything twice, the page enters the room once.", async () => {
  const { client } = await Listener.connected(cluster.url, "observer");
  await client.createRoom("general").catch(() => {}); // the test above made it
  const { page, sent, close } = await signedIn(await served("dev"), "strict");
  await page.getByLabel("Message").waitFor();
  await say(page, "I am in");
  await page.getByText("strict: I am in").waitFor();
  assert.deepEqual(sent.filter((event) => ["setUsername", "joinRoom", "leaveRoom", "message"].includes(event)), ["setUsername", "joinRoom", "message"]);
  await close();
});
