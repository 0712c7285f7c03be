/** The chat widget of the guide, on a page of another origin. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { IN_TIME, ROOT } from "../javascript/support/cluster.js";
import { Listener } from "../javascript/support/listening.js";
import { Stage } from "./support/stage.js";

const stage = new Stage();
let server;

after(() => server?.close());

test("The widget shows a room and lets a visitor write, and what others write stays text.", async () => {
  const guide = await readFile(join(ROOT, "docs/get-started/widget.md"), "utf8");
  const [, html] = /```html\n(.*?)```/s.exec(guide);
  assert.ok(html.split("\n").filter(Boolean).length <= 20);
  server = createServer((_, response) => response.setHeader("Content-Type", "text/html")
    .end(html.replaceAll("http://127.0.0.1:8080", stage.cluster.url)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ann = await Listener.connected(stage.cluster.gateway(1), "ann");
  await ann.client.createRoom("general");
  await ann.client.join("general");
  await ann.client.send("#general", "Welcome, <b>stranger</b>");
  const page = await stage.browser.newPage();
  page.setDefaultTimeout(IN_TIME);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.getByText("ann: Welcome, <b>stranger</b>").waitFor();
  await page.getByLabel("Message").fill("Good day");
  await page.keyboard.press("Enter");
  const received = await ann.next("message", ({ sender }) => sender.startsWith("guest "));
  assert.equal(received.content, "Good day");
  await page.getByText(`${received.sender}: Good day`).waitFor();
  await ann.client.send("#general", "and to you");
  await page.getByText("ann: and to you").waitFor();
});
