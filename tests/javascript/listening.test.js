/** Listeners, the iterator of events, and names of messages. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Parley } from "../../clients/javascript/src/parley.js";
import { Cluster } from "./support/cluster.js";
import { Listener } from "./support/listening.js";

let cluster, numbers = 0;

before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());
afterEach(() => Listener.closeAll());

async function inRoom() {
  const n = ++numbers, room = `room ${n}`;
  const listener = await Listener.connected(cluster.url, `ann${n}`);
  await listener.client.createRoom(room);
  await listener.client.join(room);
  return { listener, client: listener.client, place: `#${room}` };
}

/** Send texts, and wait until all have come back. */
async function say(listener, place, ...texts) {
  const count = listener.texts(place).length + texts.length;
  for (const text of texts) await listener.client.send(place, text);
  await listener.until(() => listener.texts(place).length === count, "the messages");
}

test("A listener is called until it is removed, and one of `once` for one event only.", async () => {
  const { listener, client, place } = await inRoom();
  const calls = [];
  const collect = (name) => ({ content }) => calls.push(`${name} ${content}`);
  const removed = collect("removed"), once = collect("once");
  client.on("message", removed);
  client.once("message", once);
  client.once("message", () => client.off("message", removed));
  const off = client.on("message", collect("on"));
  await say(listener, place, "1", "2");
  off();
  await say(listener, place, "3");
  assert.deepEqual(calls, ["removed 1", "once 1", "on 1", "on 2"]);
  assert.throws(() => client.on("message"), TypeError);
});

test("The iterator yields the events of the wanted types in order, and ends when the client is closed.", async () => {
  const { listener, client, place } = await inRoom();
  const events = client.events({ types: ["message", "state"] });
  await say(listener, place, "1", "2", "3");
  client.close();
  const seen = [];
  for await (const { type, event } of events) seen.push(type === "message" ? event.content : event.state);
  assert.deepEqual(seen, ["1", "2", "3", "closed"]);
  for await (const { type } of client.events()) assert.fail(type); // of a closed client there are none
});

test("A loop waits for what comes, and its end is the end of the iterator.", async () => {
  const { client, place } = await inRoom();
  const events = client.events({ types: ["message"] });
  const seen = [];
  const reading = (async () => {
    for await (const { event } of events) {
      seen.push(event.content);
      if (event.content === "stop") break;
    }
  })();
  for (const text of ["go", "stop", "too late"]) await client.send(place, text);
  await reading;
  assert.deepEqual(seen, ["go", "stop"]);
  assert.deepEqual(await events.next(), { value: undefined, done: true });
});

test("More events than may wait end the iterator with an error, after those that waited.", async () => {
  const { listener, client, place } = await inRoom();
  const events = client.events({ types: ["message"], limit: 2 });
  await say(listener, place, "1", "2", "3");
  const seen = [];
  await assert.rejects(async () => {
    for await (const { event } of events) seen.push(event.content);
  }, { code: "queue_full" });
  assert.deepEqual(seen, ["1", "2"]);
});

test("Where there is no crypto, messages have names of their own all the same.", async () => {
  const { client, place } = await inRoom();
  const known = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  const names = new Set();
  client.on("accepted", ({ clientMsgId }) => names.add(clientMsgId));
  let sends;
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  try {
    sends = ["same", "same", "same"].map((text) => client.send(place, text));
  } finally {
    Object.defineProperty(globalThis, "crypto", known);
  }
  const accepted = await Promise.all(sends);
  assert.deepEqual(accepted.map(({ seq }) => seq), [1, 2, 3]);
  assert.deepEqual([...names].map((name) => /^[0-9a-f]{24}$/.test(name)), [true, true, true]);
});

test("A client that was closed does not connect, and says so.", async () => {
  const client = new Parley(cluster.url, { username: "ann closed" });
  client.close();
  await assert.rejects(client.connect(), { code: "closed" });
  await assert.rejects(client.rooms(), { code: "closed" });
});
