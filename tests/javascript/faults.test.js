/** What the JavaScript client does when gateways die or leave, and networks fail. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener, Storage } from "./support/listening.js";
import { Relay } from "./support/relay.js";

let cluster, numbers = 0;
const relays = [];

before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());
afterEach(async () => {
  Listener.closeAll();
  await Promise.all(relays.splice(0).map((relay) => relay.close()));
});

async function relayed() {
  const relay = await Relay.before(cluster.gateway(1));
  relays.push(relay);
  return relay;
}

/** Two clients in a room; ann goes to gateway 1 first, bob to gateway 2. */
async function two({ annUrl = [cluster.gateway(1), cluster.gateway(2)], ...options } = {}) {
  const n = ++numbers, room = `room ${n}`;
  const ann = await Listener.connected(annUrl, `ann${n}`, options);
  const bob = await Listener.connected([cluster.gateway(2), cluster.gateway(1)], `bob${n}`, options);
  await ann.client.createRoom(room);
  await ann.client.join(room);
  await bob.client.join(room);
  return { ann, bob, room, place: `#${room}` };
}

/** A WebSocket class that answers an event by itself: not now. `times` is asked at each, or a number of times. */
function refusing(refused, times) {
  return class extends WebSocket {
    send(text) {
      const { event, id } = JSON.parse(text);
      if (event !== refused || !(typeof times === "function" ? times() : times-- > 0)) return super.send(text);
      const data = { code: "broker_unavailable", message: "try again", retryable: true };
      queueMicrotask(() => this.onmessage({ data: JSON.stringify({ event: "error", id, data }) }));
    }
  };
}

/** All sends are accepted, and both saw each once, in the same order, those of one author as sent. */
async function whole(place, ann, bob, sends) {
  const accepted = await Promise.all(sends);
  for (const one of [ann, bob]) {
    await one.until(() => one.texts(place).length >= sends.length, `${sends.length} messages`);
  }
  assert.equal(new Set(accepted.map(({ id }) => id)).size, sends.length);
  assert.equal(new Set(ann.texts(place)).size, sends.length);
  assert.deepEqual(ann.texts(place), bob.texts(place));
  for (const author of ["a", "b"]) {
    const numbers = ann.texts(place).filter((text) => text[0] === author).map((text) => Number(text.slice(1)));
    assert.deepEqual(numbers, numbers.map((_, n) => n));
  }
  const { items } = await bob.client.history(place, { limit: 1000 });
  assert.deepEqual(items.map(({ content }) => content), ann.texts(place));
}

/** Let the broker lose what is said in `say()`, before the database has it. */
async function losing(say) {
  await cluster.kill("cluster", "SIGSTOP"); // it starts no persister again
  await cluster.kill("persister-1");
  await say();
  await cluster.flush();
  await cluster.kill("cluster", "SIGCONT");
}

for (const [signal, what] of [["SIGKILL", "is killed"], ["SIGTERM", "drains"]]) {
  test(`While a gateway ${what}, nothing that two send is lost, doubled or out of order.`, async () => {
    const { ann, bob, place } = await two({ durable: true });
    const sends = [];
    for (let n = 0; n < 150; n++) sends.push(ann.client.send(place, `a${n}`), bob.client.send(place, `b${n}`));
    await ann.until(() => ann.texts(place).length > 20, "some messages");
    const pid = await cluster.kill("gateway-1", signal);
    await whole(place, ann, bob, sends);
    await ann.next("state", ({ state, again }) => state === "connected" && again);
    await ann.next("caughtUp");
    await ann.until(() => ann.client.outbox.length === 0, "all durable");
    await cluster.restarted("gateway-1", pid);
  });
}

test("In direct chats nothing is lost either, and a chat made meanwhile is told from its beginning.", async () => {
  const relay = await relayed();
  const { ann, bob } = await two({ annUrl: relay.url });
  const a = ann.client.username;
  await ann.client.goOnline();
  await bob.client.goOnline();
  await bob.client.send(`@${a}`, "first");
  await ann.next("message", ({ content }) => content === "first");
  relay.cut();
  await ann.next("state", ({ state }) => state === "reconnecting");
  const carl = await Listener.connected(cluster.gateway(2), `carl${numbers}`);
  await bob.client.send(`@${a}`, "second");
  for (const text of ["new", "chat"]) await carl.client.send(`@${a}`, text);
  const waiting = ann.client.send(`@${bob.client.username}`, "written meanwhile");
  relay.mend();
  ann.client.reconnectNow();
  await waiting;
  await ann.until(() => ann.texts(`@${carl.client.username}`).length === 2, "carl's chat");
  assert.deepEqual(ann.texts(`@${carl.client.username}`), ["new", "chat"]);
  await ann.until(() => ann.texts(`@${bob.client.username}`).length === 3, "bob's chat");
  assert.deepEqual(ann.texts(`@${bob.client.username}`), ["first", "second", "written meanwhile"]);
  const chats = ann.all("chats").at(-1).chats.map(({ user, unread }) => [user, unread]);
  assert.deepEqual(new Map(chats), new Map([[carl.client.username, 2], [bob.client.username, 2]]));
});

test("It tells that it reconnects and when, and what it caught up with.", async () => {
  const relay = await relayed();
  const { ann, bob, place } = await two({ annUrl: relay.url });
  relay.cut();
  const { inMs } = await ann.next("state", ({ state }) => state === "reconnecting");
  assert.ok(inMs >= 0 && inMs <= 10_000);
  for (let n = 0; n < 14; n++) await bob.client.send(place, `${n}`);
  await ann.until(() => ann.all("state", ({ state }) => state === "reconnecting").length >= 2, "more attempts");
  relay.mend();
  ann.client.reconnectNow();
  assert.deepEqual(await ann.next("caughtUp"), { messages: 14 });
  assert.deepEqual(ann.all("message").map(({ missed }) => missed), Array(14).fill(true));
});

for (const refusals of [0, 2]) {
  test(`What was missed comes in order and is counted, around what was deleted, after ${refusals} refusals.`, async () => {
    const relay = await relayed();
    const { ann, bob, place } = await two({ annUrl: relay.url, WebSocket: refusing("resume", refusals) });
    await bob.client.send(place, "before");
    await ann.next("message");
    relay.cut();
    await ann.next("state", ({ state }) => state === "reconnecting");
    for (const text of ["one", "two", "three"]) await bob.client.send(place, text);
    const { id } = bob.all("message", ({ content }) => content === "two")[0];
    await bob.client.deleteMessage(id);
    await bob.client.send(place, "four");
    relay.mend();
    const { messages } = await ann.next("caughtUp");
    assert.equal(messages, 3);
    assert.deepEqual(ann.texts(place), ["before", "one", "three", "four"]);
    await bob.client.send(place, "live");
    await ann.next("message", ({ content }) => content === "live");
  });
}

test("A locked room is entered again with its grant, and the sends to it go on.", async () => {
  const relay = await relayed();
  const { ann, bob, room } = await two({ annUrl: relay.url });
  const locked = `locked ${room}`;
  await ann.client.createRoom(locked, { password: "sesame" });
  const { grant } = await ann.client.join(locked, { password: "sesame" });
  await bob.client.join(locked, { password: "sesame" });
  relay.cut();
  await ann.next("state", ({ state }) => state === "reconnecting");
  const sent = ann.client.send(`#${locked}`, "through the door");
  relay.mend();
  await sent;
  await bob.next("message", ({ content }) => content === "through the door");
  assert.equal(ann.all("lost").length, 0);
  assert.ok(grant);
});

test("What was not sent when a page ended is sent by the next page, once.", async () => {
  const storage = new Storage();
  const { ann, bob, room, place } = await two({ annUrl: cluster.url, durable: true, storage });
  ann.client.send(place, "in flight").catch(() => {}); // posted, and the page ends before the answer
  ann.client.send(place, "behind it").catch(() => {});
  ann.client.close();
  assert.equal(storage.length, 2);
  const next = new Listener(cluster.url, ann.client.username, { durable: true, storage });
  assert.deepEqual(next.client.outbox.map(({ content }) => content), ["in flight", "behind it"]);
  await next.client.connect();
  await next.client.join(room);
  await next.until(() => next.client.outbox.length === 0, "an empty outbox");
  await bob.until(() => bob.texts(place).length >= 2, "both");
  assert.deepEqual(bob.texts(place), ["in flight", "behind it"]);
  assert.equal(storage.length, 0);
  const { items } = await bob.client.history(place);
  assert.deepEqual(items.map(({ content }) => content), ["in flight", "behind it"]);
});

test("A send whose answer was lost is the same message when it is sent again.", async () => {
  const relay = await relayed();
  const { ann, bob, place } = await two({ annUrl: relay.url });
  relay.muffle();
  const sent = ann.client.send(place, "did you hear me?");
  const received = await bob.next("message", ({ content }) => content === "did you hear me?");
  relay.drop();
  relay.mend();
  assert.equal((await sent).id, received.id);
  await ann.next("message", ({ content }) => content === "did you hear me?");
  assert.equal(bob.all("message").length, 1);
  assert.deepEqual(ann.texts(place), ["did you hear me?"]);
});

test("When the broker began a new life, the client goes on, and what it sends meanwhile is kept.", async () => {
  const { ann, bob, place } = await two({ durable: true });
  await ann.client.send(place, "a0");
  const pid = await cluster.kill("redis");
  const sends = [1, 2, 3].map((n) => ann.client.send(place, `a${n}`));
  await Promise.all(sends);
  await cluster.restarted("redis", pid);
  for (const one of [ann, bob]) await one.until(() => one.texts(place).length >= 4, "all four");
  assert.deepEqual(ann.texts(place), ["a0", "a1", "a2", "a3"]);
  assert.deepEqual(bob.texts(place), ann.texts(place));
  await ann.until(() => ann.client.outbox.length === 0, "all durable");
});

test("What the broker lost is found lost, also when the server could not look at first.", async () => {
  let isRefused = false;
  const { ann: bob, room, place } = await two({ durable: true });
  const ann = await Listener.connected(cluster.gateway(1), "annoyed", { WebSocket: refusing("resume", () => isRefused) });
  await ann.client.join(room);
  await bob.client.send(place, "kept");
  await bob.until(() => bob.client.outbox.length === 0, "durable");
  await losing(async () => {
    await bob.client.send(place, "lost");
    await ann.next("message", ({ content }) => content === "lost");
    isRefused = true;
  });
  await bob.client.send(place, "after");
  await ann.next("message", ({ content }) => content === "after");
  isRefused = false;
  await ann.next("reset", (reset) => reset.place === place);
});

test("A chat that nobody told the client of is found when it is told to resume it.", async () => {
  let socket;
  class Deaf extends WebSocket {
    set onmessage(take) {
      socket = { take };
      super.onmessage = (message) => /"(newChat|newMessage)"/.test(message.data) || take(message);
    }
  }
  const ann = await Listener.connected(cluster.gateway(1), "ann deaf", { WebSocket: Deaf });
  await ann.client.goOnline();
  const bob = await Listener.connected(cluster.gateway(2), "bob deaf");
  const { chatId } = await bob.client.createChat("ann deaf");
  await bob.client.send("@ann deaf", "Do you hear me?");
  socket.take({ data: JSON.stringify({ event: "resume_required", data: { rooms: [], chats: [chatId] } }) });
  await ann.next("chats", ({ chats }) => chats.some((chat) => chat.chatId === chatId));
});

test("What the broker lost of a room that one has left is sent once one is back.", async () => {
  const { ann, bob, room, place } = await two({ durable: true });
  const beside = await Listener.connected(cluster.gateway(1), "beside"); // hears what ann would
  await beside.client.join(room);
  await ann.client.send(place, "kept");
  await ann.until(() => ann.client.outbox.length === 0, "durable");
  await losing(async () => {
    await ann.client.send(place, "lost");
    await ann.client.leave(room);
  });
  await beside.next("caughtUp");
  await bob.client.send(place, "between");
  await beside.next("message", ({ content }) => content === "between");
  await ann.client.join(room);
  const sent = ann.client.send(place, "after");
  await ann.until(() => ann.client.outbox.length === 0, "all durable");
  await sent;
  const { items } = await bob.client.history(place);
  assert.deepEqual(items.map(({ content }) => content).sort(), ["after", "between", "kept", "lost"]);
});
