/** What the JavaScript client does with events of a log that a newer server knows and it does not. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener } from "./support/listening.js";

let cluster, numbers = 0;

before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());
afterEach(() => Listener.closeAll());

/**
 * A client, and its wire: frames of the server come as `wire.change(frame)` leaves them, and not at
 * all where that is false; `wire.sent` is what was sent from then on, by name.
 */
async function connected(name) {
  const wire = { change: null, sent: [] };
  class Changed extends WebSocket {
    set onmessage(take) {
      super.onmessage = ({ data }) => {
        const frame = JSON.parse(data);
        if (wire.change?.(frame) !== false) take({ data: JSON.stringify(frame) });
      };
    }

    send(text) {
      if (wire.change) wire.sent.push(JSON.parse(text).event);
      super.send(text);
    }
  }
  const listener = await Listener.connected(cluster.url, name, { WebSocket: Changed });
  return { listener, client: listener.client, wire };
}

/** Make of a frame one of a kind that nobody knows. */
function unknown(frame) {
  const { room = frame.data.room, chatId = frame.data.chatId, data: { seq, prev } } = frame;
  delete frame.room;
  delete frame.chatId;
  Object.assign(frame, { event: "skipped", data: { room, chatId, seq, prev } });
}

/** What was told of the log: numbers of messages, and of events that are not known. */
const told = (listener) => listener.events.filter(({ type }) => type === "message" || type === "other")
  .map(({ type, event }) => [type, event.seq ?? event.data.seq]);

async function inRoom() {
  const n = ++numbers, room = `room ${n}`;
  const one = await connected(`ann${n}`);
  await one.client.createRoom(room);
  await one.client.join(room);
  return { ...one, room, place: `#${room}` };
}

test("A room goes on behind an event that is not known: what follows is no hole, and nothing is asked.", async () => {
  const { listener, client, wire, room, place } = await inRoom();
  const named = [];
  client.on("skipped", (event) => named.push(event));
  wire.change = (frame) => { if (frame.event === "moderatorChanged") unknown(frame); };
  await client.send(place, "one");
  await client.setModerator(room, "bob");
  await client.send(place, "two");
  await listener.next("message", ({ content }) => content === "two");
  assert.deepEqual(told(listener), [["message", 1], ["other", 2], ["message", 3]]);
  assert.deepEqual(wire.sent, ["message", "setModerator", "message"]);
  const other = { event: "skipped", data: { room, seq: 2, prev: 1 }, room: undefined, chatId: undefined };
  assert.deepEqual(listener.all("other"), [other]);
  assert.deepEqual(named, [other]);
});

test("A chat goes on behind an event that is not known, too.", async () => {
  const { listener, client, wire } = await connected(`ann${++numbers}`);
  await client.goOnline();
  wire.change = (frame) => { if (frame.event === "messageDeleted") unknown(frame); };
  const { id } = await client.send("@bob", "one");
  await client.deleteMessage(id);
  await client.send("@bob", "two");
  await listener.next("message", ({ content }) => content === "two");
  assert.deepEqual(told(listener), [["message", 1], ["other", 2], ["message", 3]]);
  assert.deepEqual(wire.sent, ["sendMessage", "deleteMessage", "sendMessage"]);
});

test("An event that is not known waits for what is missing before it.", async () => {
  const { listener, client, wire, room, place } = await inRoom();
  wire.change = (frame) => {
    if (frame.event === "moderatorChanged") unknown(frame);
    return frame.data?.content !== "lost";
  };
  await client.send(place, "lost");
  await client.setModerator(room, "bob");
  await listener.next("other");
  assert.deepEqual(told(listener), [["message", 1], ["other", 2]]);
  await client.send(place, "end");
  await listener.next("message", ({ content }) => content === "end");
  assert.deepEqual(told(listener).at(-1), ["message", 3]);
});

test("A signal that became an event of the log is told as before, and takes its place.", async () => {
  const { listener, client, wire, room, place } = await inRoom();
  const note = { content: "somebody is a moderator", createdAt: 0 };
  wire.change = (frame) => {
    if (frame.event === "moderatorChanged") Object.assign(frame, { event: "notification", data: { ...frame.data, ...note } });
  };
  await client.setModerator(room, "bob");
  await client.send(place, "two");
  await listener.next("message");
  assert.equal(listener.all("notice", ({ content }) => content === note.content).length, 1);
  assert.deepEqual(wire.sent, ["setModerator", "message"]);
});

test("An event that is not known and has the name of a type of the client's own is not taken for that.", async () => {
  const { listener, client, wire, room } = await inRoom();
  wire.change = (frame) => { if (frame.event === "moderatorChanged") frame.event = "lost"; };
  await client.setModerator(room, "bob");
  assert.equal((await listener.next("other")).event, "lost");
  assert.deepEqual(listener.all("lost"), []);
});
