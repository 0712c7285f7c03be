/** Rooms and chats in which most messages were deleted one by one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Listener } from "../javascript/support/listening.js";
import { Stage } from "./support/stage.js";

const DELETED = 130;

const stage = new Stage();
const { comes } = stage;

const kept = (from, to) => Array.from({ length: to - from }, (_, n) => `kept ${from + n}`);

async function send({ client }, place, texts) {
  const sent = [];
  for (const text of texts) sent.push(await client.send(place, text));
  return sent;
}

async function sendAndDelete(listener, place, count) {
  const sent = await send(listener, place, Array.from({ length: count }, (_, n) => `deleted ${n}`));
  await Promise.all(sent.map(({ id }) => listener.client.deleteMessage(id)));
}

async function scribe(name, room) {
  const listener = await Listener.connected(stage.cluster.gateway(1), name);
  if (room) {
    await listener.client.createRoom(room);
    await listener.client.join(room);
  }
  return listener;
}

/** Scroll up until the beginning is in sight. Runs in the page. */
async function scrollToBeginning() {
  const scroller = document.querySelector(".scroller");
  const edge = document.querySelector(".edge");
  while (!edge.textContent.startsWith("This is the beginning") || scroller.scrollTop > 0) {
    scroller.scrollTop -= 4000;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
}

test("A newcomer sees what is left behind deleted messages, and then the beginning.", async () => {
  const writer = await scribe("writer", "left");
  await send(writer, "#left", kept(0, 20));
  await sendAndDelete(writer, "#left", DELETED);
  const ann = await comes(2, "ann left");
  await ann.goes("left");
  await ann.page.getByText("This is the beginning of left.").waitFor();
  assert.deepEqual(await ann.texts(), kept(0, 20));
});

test("The beginning is where the room begins, also with deleted messages between the pages.", async () => {
  const writer = await scribe("author", "between");
  await send(writer, "#between", kept(0, 30));
  await sendAndDelete(writer, "#between", DELETED);
  await send(writer, "#between", kept(30, 150));
  const ann = await comes(1, "ann between");
  await ann.goes("between");
  await ann.row("kept 149").waitFor();
  assert.equal(await ann.page.getByText("This is the beginning of between.").count(), 0);
  await ann.page.evaluate(scrollToBeginning);
  await ann.page.getByText("This is the beginning of between.").waitFor();
  assert.deepEqual((await ann.texts()).slice(0, 60), kept(0, 60));
});

test("When all that is shown is deleted, what is behind it comes, and the beginning.", async () => {
  const writer = await scribe("cleaner", "cleaned");
  await send(writer, "#cleaned", kept(0, 40));
  const shown = await send(writer, "#cleaned", kept(40, 140));
  const ann = await comes(2, "ann cleaned");
  await ann.goes("cleaned");
  await ann.row("kept 139").waitFor();
  await Promise.all(shown.map(({ id }) => writer.client.deleteMessage(id)));
  await ann.page.getByText("This is the beginning of cleaned.").waitFor();
  await ann.row("kept 139").waitFor({ state: "detached" });
  assert.deepEqual(await ann.texts(), kept(0, 40));
});

test("A direct chat shows what is left behind deleted messages, and then the beginning.", async () => {
  const writer = await scribe("carl");
  await writer.client.goOnline();
  await writer.client.createChat("ann chat");
  await send(writer, "@ann chat", kept(0, 20));
  await sendAndDelete(writer, "@ann chat", DELETED);
  const ann = await comes(2, "ann chat");
  await ann.place("@carl").click();
  await ann.page.getByText("This is the beginning of your chat with carl.").waitFor();
  assert.deepEqual(await ann.texts(), kept(0, 20));
});
