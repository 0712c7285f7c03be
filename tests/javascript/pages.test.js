/** Pages of history where most messages were deleted one by one. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener } from "./support/listening.js";

const KEPT = Array.from({ length: 20 }, (_, n) => `kept ${n}`);

let cluster;

before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());
afterEach(() => Listener.closeAll());

/** Send texts one after the other, then `count` more that are deleted one by one. */
async function fill({ client }, place, texts, count) {
  for (const text of texts) await client.send(place, text);
  const numbers = Array.from({ length: count }, (_, n) => n);
  const sent = await Promise.all(numbers.map((n) => client.send(place, `deleted ${n}`)));
  await Promise.all(sent.map(({ id }) => client.deleteMessage(id)));
}

const shown = (messages) => messages.filter(({ deleted }) => !deleted).map(({ content }) => content);

/** All texts of a place, page by page backwards or forwards. */
async function pages({ client }, place, limit, direction) {
  const found = [];
  for (let at = direction === "before" ? undefined : 0; at !== null;) {
    const page = await client.history(place, { [direction]: at, limit });
    assert.ok(shown(page.items).length === limit || page.next === null);
    found.push(shown(page.items));
    at = page.next;
  }
  return (direction === "before" ? found.reverse() : found).flat();
}

test("A newcomer gets what is left behind deleted messages, and pages have it, to an end.", async () => {
  const ann = await Listener.connected(cluster.gateway(1), "ann");
  await ann.client.createRoom("left");
  await ann.client.join("left");
  await fill(ann, "#left", KEPT, 100);
  const bob = await Listener.connected(cluster.gateway(2), "bob");
  const joined = await bob.client.join("left");
  assert.deepEqual(shown(joined.messages), KEPT);
  assert.equal(joined.next, null);
  for (const direction of ["before", "after"]) {
    for (const limit of [1, 7, 100]) assert.deepEqual(await pages(bob, "#left", limit, direction), KEPT);
  }
});

test("A direct chat shows what is left behind deleted messages.", async () => {
  const [ann, bob] = await Promise.all(["anna", "bert"].map((name, n) => Listener.connected(cluster.gateway(n + 1), name)));
  await Promise.all([ann.client.goOnline(), bob.client.goOnline()]);
  await fill(ann, "@bert", KEPT, 100);
  const [chat] = await bob.client.chats();
  assert.equal(chat.lastMessage.content, KEPT.at(-1));
  assert.deepEqual(await pages(bob, "@anna", 6, "before"), KEPT);
});

test("A gap of messages, of which most were deleted, is closed to its end.", async () => {
  let isLossy = false;
  const lossy = class extends WebSocket {
    set onmessage(listener) {
      super.onmessage = (event) => {
        const { event: name } = JSON.parse(event.data);
        if (!isLossy || !["message", "messageDeleted"].includes(name)) listener(event);
      };
    }
  };
  const ann = await Listener.connected(cluster.gateway(1), "ann");
  await ann.client.createRoom("holes");
  await ann.client.join("holes");
  const bob = await Listener.connected(cluster.gateway(2), "bob", { WebSocket: lossy });
  await bob.client.join("holes");
  isLossy = true;
  await fill(ann, "#holes", ["one"], 150);
  await fill(ann, "#holes", ["two"], 150);
  await fill(ann, "#holes", ["three"], 0);
  isLossy = false;
  await ann.client.send("#holes", "last");
  await bob.until(() => bob.texts("#holes").includes("last"), "the last message");
  assert.deepEqual(bob.texts("#holes"), ["one", "two", "three", "last"]);
});

test("The list of chats is whole, also where it takes several pages.", async () => {
  const ann = await Listener.connected(cluster.gateway(1), "anita");
  await ann.client.goOnline();
  const users = Array.from({ length: 260 }, (_, n) => `friend ${n}`);
  // Pages have a million characters, so 250 of these chats.
  await Promise.all(users.map((user) => ann.client.send(`@${user}`, "x".repeat(4000))));
  for (const client of [ann.client, (await Listener.connected(cluster.gateway(2), "anita")).client]) {
    const chats = await client.chats();
    assert.deepEqual(chats.map(({ user }) => user).toSorted(), users.toSorted());
  }
});
