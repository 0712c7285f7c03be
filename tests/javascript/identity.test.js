/** How the JavaScript client shows who it is, by tokens, tickets or as a guest, and what it does at the limits of a user. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener, Storage } from "./support/listening.js";
import { Relay } from "./support/relay.js";
import { JWT, tokenFor } from "./support/tokens.js";

let cluster, relay, numbers = 0;

before(async () => { cluster = await Cluster.start({ ...JWT, RATE_MESSAGES: "2/1s:5", RATE_GUESSES: "1/1m:2" }); });
after(() => cluster?.stop());
afterEach(async () => {
  Listener.closeAll();
  await relay?.close();
  relay = null;
});

/** Bob, on the other gateway, in a room that no other test has. */
async function bobInRoom() {
  const n = ++numbers, room = `room ${n}`, name = `bob${n}`;
  const bob = await Listener.connected(cluster.gateway(2), { token: tokenFor(name) });
  assert.equal(bob.client.username, name);
  await bob.client.createRoom(room);
  await bob.client.join(room);
  return { bob, room, place: `#${room}` };
}

test("A token says who one is, in rooms and in direct chats.", async () => {
  const { bob, room, place } = await bobInRoom();
  const ann = new Listener(cluster.gateway(1), { token: async () => tokenFor("ann") }, { durable: true });
  assert.equal(ann.client.username, "");
  const online = ann.client.goOnline(); // asked before it is known who she is
  await ann.client.connect();
  assert.deepEqual(await ann.next("user"), { username: "ann", before: "" });
  await online;
  await ann.client.join(room);
  await ann.client.send(place, "in the room");
  await ann.client.send(`@${bob.client.username}`, "to you");
  const received = await bob.next("message", ({ content }) => content === "in the room");
  assert.equal(received.sender, "ann");
  const own = await ann.next("message", ({ content }) => content === "to you");
  assert.equal(own.place, `@${bob.client.username}`);
});

test("A fresh token is brought before the last one expires, and the connection goes on.", async () => {
  let asked = 0, again;
  const renewed = new Promise((done) => { again = done; });
  const ann = await Listener.connected(cluster.gateway(1), { token: () => {
    if (++asked === 2) again();
    return tokenFor("ann renewed", asked === 1 ? 15 : 3600);
  } });
  await renewed;
  assert.deepEqual(ann.all("state").map(({ state }) => state), ["connecting", "connected"]);
  await ann.client.rooms();
});

test("A token that is refused is asked for anew, once; then one is told.", async () => {
  const tokens = [tokenFor("late", -60), tokenFor("late")];
  const late = await Listener.connected(cluster.gateway(1), { token: () => tokens.shift() });
  assert.equal(late.client.username, "late");
  let asked = 0;
  const never = new Listener(cluster.gateway(1), { token: () => (asked++, tokenFor("never", -60)) });
  await assert.rejects(never.client.connect(), { code: "unauthorized", message: "the token has expired" });
  assert.deepEqual(await never.next("unauthorized"), { message: "the token has expired" });
  assert.equal(asked, 2);
  assert.equal(never.client.state, "closed");
});

test("When a token that is only text expires, one is told so.", async () => {
  const ann = new Listener(cluster.gateway(1), { token: tokenFor("ann brief", 2) });
  ann.client.connect().catch(() => {});
  assert.deepEqual(await ann.next("unauthorized"), { message: "the token has expired" });
  assert.equal(ann.client.state, "closed");
  assert.deepEqual(ann.all("error"), []);
});

/** A WebSocket class that loses the first `count` tokens on their way. */
const losingTokens = (count) => class extends WebSocket {
  send(text) {
    if (JSON.parse(text).event !== "authenticate" || count-- <= 0) super.send(text);
  }
};

test("A connection whose first request gets no reply is given up, and the next one goes on.", async () => {
  const ann = await Listener.connected(cluster.gateway(1), { token: tokenFor("ann lost") }, { WebSocket: losingTokens(1) });
  assert.deepEqual(ann.all("state").map(({ state }) => state), ["connecting", "reconnecting", "connecting", "connected"]);
  assert.equal(ann.all("state")[1].reason, "no answer in time");
});

test("A token that does not arrive in time is shown again on the next connection, a fresh one where it can be had.", async () => {
  const strict = await Cluster.start({ ...JWT, GUESTS: "off", GATEWAYS: "1" });
  try {
    let asked = 0;
    const token = () => (asked++, tokenFor("ann slow"));
    const connected = Listener.connected(strict.url, { token }, { WebSocket: losingTokens(1) });
    const fixed = Listener.connected(strict.url, { token: tokenFor("ann fixed") }, { WebSocket: losingTokens(1) });
    for (const ann of [await connected, await fixed]) {
      assert.deepEqual(ann.all("state").map(({ state }) => state), ["connecting", "reconnecting", "connecting", "connected"]);
      assert.equal(ann.all("unauthorized").length, 0);
    }
    assert.equal(asked, 2);
  } finally {
    Listener.closeAll();
    await strict.stop();
  }
});

test("While no token can be had it is tried again, and no token at all is told.", async () => {
  let asked = 0;
  const ann = await Listener.connected(cluster.gateway(1), { token: async () => {
    if (++asked === 1) throw new Error("the sign-in is away");
    return tokenFor("ann patient");
  } });
  assert.equal(ann.all("state")[1].reason, "no token: the sign-in is away");
  const out = new Listener(cluster.gateway(1), { token: () => null });
  await assert.rejects(out.client.connect(), { code: "unauthorized", message: "there is no token" });
});

test("With tickets the connection is asked for with one, and the token is in no address.", async () => {
  const dialled = [], token = tokenFor("ann ticket");
  class Dialled extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      dialled.push(url);
    }
  }
  const ann = await Listener.connected(cluster.gateway(1), { token, tickets: true }, { WebSocket: Dialled });
  assert.equal(ann.client.username, "ann ticket");
  assert.match(dialled[0], /[?&]ticket=[\w-]{20,}/);
  assert.ok(!dialled[0].includes(token));
  const bad = new Listener(cluster.gateway(1), { token: tokenFor("ann ticket", -60), tickets: true });
  await assert.rejects(bad.client.connect(), { code: "unauthorized", message: "the token has expired" });
});

test("A name without a token, or another than the token's, is refused.", async () => {
  for (const who of [{ username: "ann" }, { username: "bob", token: tokenFor("ann") }]) {
    const { client } = new Listener(cluster.gateway(1), who);
    await assert.rejects(client.connect(), { code: "forbidden" });
    assert.equal(client.state, "closed");
  }
});

test("A guest is given a name, and another after a lost connection: what was not answered is not doubled.", async () => {
  const { bob, room, place } = await bobInRoom();
  relay = await Relay.before(cluster.gateway(1));
  const guest = await Listener.connected(relay.url, { guest: true });
  const first = guest.client.username;
  assert.match(first, /^guest-/);
  await guest.client.join(room);
  relay.muffle();
  const unanswered = guest.client.send(place, "did this arrive?");
  assert.equal((await bob.next("message")).sender, first);
  relay.drop();
  relay.mend();
  await assert.rejects(unanswered, { code: "connection_lost" });
  const { username } = await guest.next("user", ({ before }) => before === first);
  assert.notEqual(username, first);
  await guest.client.send(place, "here again");
  assert.equal((await bob.next("message", ({ content }) => content === "here again")).sender, username);
  assert.equal(bob.texts(place).length, 2);
});

test("What waits for the user of a token is sent by the next page that is theirs.", async () => {
  const { bob, room, place } = await bobInRoom();
  relay = await Relay.before(cluster.gateway(1));
  const storage = new Storage(), token = tokenFor("ann kept");
  const ann = await Listener.connected(relay.url, { token }, { storage });
  await ann.client.join(room);
  relay.cut();
  await ann.next("state", ({ state }) => state === "reconnecting");
  ann.client.send(place, "kept").catch(() => {});
  ann.client.close();
  relay.mend();
  const other = await Listener.connected(relay.url, { token: tokenFor("somebody else") }, { storage });
  assert.deepEqual(other.client.outbox, []);
  const again = await Listener.connected(relay.url, { token }, { storage });
  assert.deepEqual(again.client.outbox.map(({ content }) => content), ["kept"]);
  await again.client.join(room);
  assert.equal((await bob.next("message")).content, "kept");
});

test("What is sent faster than a user may is kept all the same, in order; a request may say that it does not wait.", async () => {
  const { bob, room, place } = await bobInRoom();
  const at = (n) => bob.client.request("message", { room, content: `flood ${n}` }, { longest: 0 });
  const flood = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => at(n)));
  const refused = flood.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  assert.ok(refused.length > 0);
  for (const { code, retryAfterMs } of refused) assert.deepEqual([code, retryAfterMs > 0], ["rate_limited", true]);
  const texts = ["a", "b", "c", "d"];
  await Promise.all(texts.map((text) => bob.client.send(place, text)));
  await bob.until(() => bob.texts(place).includes("d"), "the last one");
  assert.deepEqual(bob.texts(place).slice(-4), texts);
});

test("Whoever gives a wrong password too often is told so at once, and when to come back.", async () => {
  const { bob, room } = await bobInRoom();
  await bob.client.setPassword(room, "right");
  const eve = await Listener.connected(cluster.gateway(1), { token: tokenFor("eve") });
  const guess = () => eve.client.join(room, { password: "wrong" });
  for (let n = 0; n < 2; n++) await assert.rejects(guess(), { code: "forbidden" });
  await assert.rejects(guess(), ({ code, retryAfterMs }) => code === "rate_limited" && retryAfterMs > 1_000);
});
