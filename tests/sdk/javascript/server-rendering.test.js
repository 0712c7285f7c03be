/** Pages with the hooks that a server renders. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "../../javascript/support/cluster.js";
import { Listener } from "../../javascript/support/listening.js";
import { launch, opened } from "./support/browser.js";
import { installed, removeFolders } from "./support/installed.js";
import { Program, stopPrograms } from "./support/program.js";

let cluster, browser, folder;

before(async () => {
  [cluster, browser, folder] = await Promise.all([
    Cluster.start(), launch(), installed({ example: "server-rendering", dependencies: true }),
  ]);
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

const RENDERED = `
  const h = createElement;
  const client = new Parley("/", { username: "ann" });
  function Page() {
    const room = useRoom("general"), chat = useDirectChat("bob"), { state } = useConnection();
    const { chats } = useChats(), users = useOnlineUsers();
    useChatEvent("notice", () => {});
    return h("p", null, [state, useClient().username, room.status, room.messages.length, chat.status, chats.length, users.length].join(" "));
  }
  console.log(renderToString(h(ChatProvider, { client }, h(Page))));
`;

for (const [name, imports] of [
  ["page.mjs", `
    import { createElement } from "react";
    import { renderToString } from "react-dom/server";
    import { Parley } from "parley-chat";
    import { ChatProvider, useChatEvent, useChats, useClient, useConnection, useDirectChat, useOnlineUsers, useRoom } from "parley-chat/react";`],
  ["page.cjs", `
    const { createElement } = require("react");
    const { renderToString } = require("react-dom/server");
    const { Parley } = require("parley-chat");
    const { ChatProvider, useChatEvent, useChats, useClient, useConnection, useDirectChat, useOnlineUsers, useRoom } = require("parley-chat/react");`],
]) {
  test(`Every hook renders in a Node without a WebSocket (${name}), as a client that is not connected.`, async () => {
    await writeFile(join(folder, name), imports + RENDERED);
    const html = execFileSync(process.execPath, [name], { cwd: folder, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } });
    assert.equal(html, "<p>idle ann loading 0 loading 0 0</p>\n");
  });
}

test("A page that a server rendered is taken over by the browser, which connects and shows the room.", async () => {
  const { client } = await Listener.connected(cluster.url, "editor");
  await client.createRoom("general");
  await client.join("general");
  await client.send("#general", "Extra, extra");
  const server = new Program(folder, ["npm", "start"], { PORT: "0", VITE_PARLEY: cluster.url });
  const [url] = await server.line(/http:\/\/127\.0\.0\.1:\d+/);
  const html = await (await fetch(url)).text();
  assert.match(html, /<h1>News<\/h1>.*idle, loading/);
  const { page, close } = await opened(browser, url);
  await page.getByText("editor: Extra, extra").waitFor();
  await client.send("#general", "Read all about it");
  await page.getByText("editor: Read all about it").waitFor();
  await page.getByText("connected, ready").waitFor();
  await close();
});
