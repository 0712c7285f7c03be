/** Events that a connection did not bring, and how the client closes the gap. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener } from "./support/listening.js";

const MAX_CONTENT = 16_000;

let cluster;

before(async () => { cluster = await Cluster.start({ MAX_CONTENT: String(MAX_CONTENT) }); });
after(() => cluster?.stop());
afterEach(() => Listener.closeAll());

/** A WebSocket that passes a frame on once `pass(frame)` resolves to true. */
const filtered = (pass) => class extends WebSocket {
  set onmessage(listener) {
    super.onmessage = async (event) => {
      if (await pass(JSON.parse(event.data))) listener(event);
    };
  }
};

test("A gap is closed however long its messages are, and what others did in it keeps its turn.", async () => {
  const room = "gaps", place = `#${room}`, count = 90;
  let isLossy = false, letKickThrough;
  const reached = new Promise((done) => { letKickThrough = done; });
  const pass = async ({ event, data }) => {
    if (event === "kicked" || (event === "message" && data.seq > count)) return reached;
    return !isLossy || event !== "message";
  };
  const ann = await Listener.connected(cluster.gateway(1), "ann");
  await ann.client.createRoom(room);
  await ann.client.join(room);
  const bob = await Listener.connected(cluster.gateway(2), "bob", { WebSocket: filtered(pass) });
  await bob.client.join(room);
  isLossy = true;
  const sent = Array.from({ length: count }, (_, n) => `${n} `.padEnd(MAX_CONTENT, "x"));
  for (const content of sent) await ann.client.send(place, content);
  await ann.client.kick(room, "carl");
  await ann.client.send(place, "after the kick");
  letKickThrough(true);
  await bob.until(() => bob.texts(place).length === count + 1, "every message");
  assert.deepEqual(bob.texts(place), [...sent, "after the kick"]);
  const order = bob.events.filter(({ type }) => type === "message" || type === "kicked").map(({ type }) => type);
  assert.deepEqual(order.slice(-2), ["kicked", "message"]);
});
