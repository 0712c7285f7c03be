/** Every hook, on a page of Vite's development server, in React's StrictMode. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "../../javascript/support/cluster.js";
import { Listener } from "../../javascript/support/listening.js";
import { Relay } from "../../javascript/support/relay.js";
import { launch, opened } from "./support/browser.js";
import { installed, removeFolders } from "./support/installed.js";
import { Program, stopPrograms } from "./support/program.js";

let cluster, browser, relay, url, numbers = 0;
const open = [];

before(async () => {
  let folder;
  [cluster, browser, folder] = await Promise.all([
    Cluster.start(), launch(), installed({ from: join(import.meta.dirname, "hooks-page"), dependencies: true }),
  ]);
  relay = await Relay.before(cluster.url);
  const server = new Program(folder, ["npm", "run", "dev", "--", "--host", "127.0.0.1", "--port", "0"], { VITE_PARLEY: relay.url });
  [url] = await server.line(/http:\/\/127\.0\.0\.1:\d+/);
});

afterEach(async () => {
  relay.mend();
  for (const close of open.splice(0)) await close();
  Listener.closeAll();
});

after(async () => {
  await stopPrograms();
  await browser?.close();
  await relay?.close();
  await cluster?.stop();
  await removeFolders();
});

/** Ann on the page, and bob as another client; both with names that no other test has. */
async function annAndBob() {
  const n = ++numbers, ann = `ann${n}`;
  const bob = await Listener.connected(cluster.url, `bob${n}`);
  const { page, close } = await opened(browser, `${url}/?user=${ann}`);
  open.push(close);
  const field = (name) => page.getByRole("status", { name, exact: true });
  /** Wait until a field has a text. */
  const shows = (name, text) => field(name).filter({ hasText: text }).waitFor();
  const show = async (place) => {
    await page.getByLabel("Place").fill(place);
    await page.keyboard.press("Enter");
  };
  const row = (text) => page.getByRole("listitem").filter({ hasText: text });
  const send = async (text) => {
    await page.getByLabel("Message").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  };
  await shows("state", new RegExp(`^${ann} connected$`));
  return { ann, bob, page, shows, show, row, send, room: `room ${n}` };
}

test("A room shows older pages when they are asked for, messages that are deleted, and is left when nothing shows it.", async () => {
  const { ann, bob, page, shows, show, row, send, room } = await annAndBob();
  await bob.client.createRoom(room);
  await bob.client.join(room);
  await Promise.all(Array.from({ length: 230 }, (_, n) => bob.client.send(`#${room}`, `number ${n}.`)));
  await show(`#${room}`);
  await shows("status", /^ready$/);
  const count = (number) => page.waitForFunction((number) => document.querySelectorAll("ol li").length === number, number);
  await count(100);
  await page.getByRole("button", { name: "Older" }).click();
  await count(200);
  await page.getByRole("button", { name: "Older" }).click();
  await count(230);
  assert.equal(await page.getByRole("button", { name: "Older" }).count(), 0);
  const texts = await page.locator("ol li").allTextContents();
  assert.deepEqual(texts, Array.from({ length: 230 }, (_, n) => `${bob.client.username}: number ${n}.`));
  await send("mine");
  await row(`${ann}: mine`).click();
  await row(/^deleted$/).waitFor();
  await bob.next("deleted");
  await bob.client.clear(room);
  await count(0);
  await show("nothing");
  await bob.next("notice", ({ content }) => content.startsWith(ann) && /left/.test(content));
});

test("A protected room is entered with its password; who becomes moderator, and who is put out, sees that.", async () => {
  const { ann, bob, page, shows, show, room } = await annAndBob();
  await bob.client.createRoom(room, { password: "sesame" });
  await bob.client.join(room, { password: "sesame" });
  await show(`#${room}`);
  await shows("status", /^failed forbidden$/);
  await page.getByLabel("Password").fill("sesame");
  await page.keyboard.press("Enter");
  await shows("status", /^ready$/);
  await bob.client.setModerator(room, ann);
  await shows("status", /^ready moderator$/);
  // It ends after 2.2 s: a single sign might come and go while the browser stands still.
  const typing = setInterval(() => bob.client.typing(`#${room}`), 100);
  await shows("typing", bob.client.username).finally(() => clearInterval(typing));
  await bob.client.kick(room, ann);
  await shows("status", /^lost kicked/);
});

test("A message that the server refuses stays pending until it is discarded; one that waits for the network comes in order.", async () => {
  const { bob, page, shows, show, row, send, room } = await annAndBob();
  await bob.client.createRoom(room);
  await bob.client.join(room);
  await show(`#${room}`);
  await shows("status", /^ready$/);
  await send("x".repeat(4001));
  await row("xxxxxxxxxx failed").getByRole("button").click();
  await row("xxxxxxxxxx failed").waitFor({ state: "detached" });
  relay.cut({ pages: true });
  await shows("state", /reconnecting$/);
  await send("written offline");
  await row("written of waiting").waitFor();
  await bob.client.send(`#${room}`, "missed");
  relay.mend();
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await bob.next("message", ({ content }) => content === "written offline");
  await row("written offline").waitFor();
  assert.deepEqual((await page.locator("ol li").allTextContents()).map((text) => text.split(": ")[1]), ["missed", "written offline"]);
  assert.equal(await page.locator("section ul li").count(), 0);
});

test("Direct chats are listed with what is unread, shown, and marked as seen; who shows them is online.", async () => {
  const { ann, bob, page, shows, show, row, send } = await annAndBob();
  const { username } = bob.client;
  await bob.client.send(`@${ann}`, "before");
  await show("chats");
  await shows("status", /^ready$/);
  await row(`${username} 1 before`).waitFor();
  await bob.client.goOnline();
  await shows("online", username);
  await bob.until(() => bob.all("online").some(({ users }) => users.includes(ann)), "ann online");
  await bob.client.send(`@${ann}`, "and now");
  await row(`${username} 2 and now`).waitFor();
  await show(`@${username}`);
  await row(`${username}: before`).waitFor();
  await page.getByRole("button", { name: "Seen" }).click();
  await bob.next("seen", ({ user, seq }) => user === ann && seq === 2);
  await send("Thank you");
  const { seq } = await bob.next("message", ({ content }) => content === "Thank you");
  bob.client.seen(`@${ann}`, seq);
  await shows("seen", `${username},${seq}`);
  await show("chats");
  await row(`${username} 0 Thank you`).waitFor();
  const carl = await Listener.connected(cluster.url, `carl${numbers}`);
  await carl.client.send(`@${ann}`, "a new chat");
  await row(`carl${numbers} 1 a new chat`).waitFor();
  await show("nothing");
  await bob.until(() => !bob.all("online").at(-1).users.includes(ann), "ann offline");
});

test("The first message to a user makes the direct chat.", async () => {
  const { ann, bob, shows, show, row, send } = await annAndBob();
  await show(`@${bob.client.username}`);
  await shows("status", /^ready$/);
  await send("the first");
  await row(`${ann}: the first`).waitFor();
  await bob.client.goOnline();
  const { items } = await bob.client.history(`@${ann}`);
  assert.deepEqual(items.map(({ content }) => content), ["the first"]);
});

test("Events come to components as they happen.", async () => {
  const { bob, shows, show, room } = await annAndBob();
  await bob.client.createRoom(room);
  await show(`#${room}`);
  await shows("status", /^ready$/);
  await bob.client.join(room);
  await shows("event", bob.client.username);
});
