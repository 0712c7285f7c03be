/** What the JavaScript client does while all goes well, on two gateways. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener } from "./support/listening.js";

let cluster, numbers = 0;

before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());
afterEach(() => Listener.closeAll());

/** A client on a gateway, closed after the test. */
function on(gateway, name, options) {
  return Listener.connected(cluster.gateway(gateway), name, options);
}

/** Two clients on two gateways, with names and a room that no other test has. */
async function two(options) {
  const n = ++numbers, room = `room ${n}`;
  const [ann, bob] = await Promise.all([on(1, `ann${n}`, options), on(2, `bob${n}`, options)]);
  await ann.client.createRoom(room);
  await ann.client.join(room);
  await bob.client.join(room);
  return { ann, bob, room, place: `#${room}` };
}

test("A client knows which gateway it is on, and how long a message may be.", async () => {
  const { ann, bob } = await two();
  assert.equal(ann.client.gateway, "gateway-1");
  assert.equal(bob.client.gateway, "gateway-2");
  assert.equal(ann.client.maxContent, 4000);
  assert.equal(ann.client.state, "connected");
});

test("Messages of a room come to everybody once, in one order, and to their author with their name.", async () => {
  const { ann, bob, place } = await two();
  const sends = Array.from({ length: 30 }, (_, n) => (n % 2 ? ann : bob).client.send(place, `${n}`));
  const accepted = await Promise.all(sends);
  for (const one of [ann, bob]) await one.until(() => one.texts(place).length === 30, "30 messages");
  assert.deepEqual(ann.texts(place), bob.texts(place));
  assert.deepEqual(accepted.map(({ seq }) => seq).sort((a, b) => a - b), Array.from({ length: 30 }, (_, n) => n + 1));
  const mine = ann.all("message", ({ sender }) => sender === ann.client.username);
  const ids = new Set(ann.all("accepted").map(({ clientMsgId }) => clientMsgId));
  assert.ok(mine.every(({ clientMsgId }) => ids.has(clientMsgId)));
  // Of each author they stand as they were sent.
  const odd = ann.texts(place).map(Number).filter((n) => n % 2);
  assert.deepEqual(odd, [...odd].sort((a, b) => a - b));
});

test("Joining shows the newest messages, and history pages further back.", async () => {
  const { ann, room, place } = await two();
  for (let n = 1; n <= 120; n++) ann.client.send(place, `${n}`);
  await ann.until(() => ann.texts(place).length === 120, "120 messages");
  const carl = await on(2, `carl${numbers}`);
  const joined = await carl.client.join(room);
  assert.deepEqual([joined.messages.length, joined.head, joined.messages[0].content], [100, 120, "21"]);
  const page = await carl.client.history(place, { before: 21 });
  assert.deepEqual([page.items.length, page.head, page.items[0].content], [20, 120, "1"]);
  const after = await carl.client.history(place, { after: 118 });
  assert.deepEqual(after.items.map(({ content }) => content), ["119", "120"]);
});

test("A locked room opens to its password, then to the grant it gave, and to nothing else.", async () => {
  const { ann, bob, room } = await two();
  const locked = `locked ${room}`;
  await ann.client.createRoom(locked, { password: "sesame" });
  const { grant } = await ann.client.join(locked, { password: "sesame" });
  assert.ok(grant);
  await assert.rejects(bob.client.join(locked), { code: "forbidden", retryable: false });
  await assert.rejects(bob.client.join(locked, { password: "wrong" }), { code: "forbidden" });
  await assert.rejects(bob.client.join(locked, { grant }), { code: "forbidden" }); // it is ann's
  await bob.client.join(locked, { password: "sesame" });
  ann.client.leave(locked);
  await ann.client.join(locked, { grant });
  const rooms = await bob.client.rooms();
  assert.deepEqual(rooms.filter(({ name }) => name.endsWith(room)).map((one) => one.protected), [true, false]);
  await assert.rejects(ann.client.createRoom(room), { code: "room_exists" });
});

test("In a direct chat both hear each other, see who is online, and what was seen.", async () => {
  const { ann, bob } = await two();
  const [a, b] = [ann.client.username, bob.client.username];
  assert.deepEqual(await ann.client.goOnline(), []);
  await bob.client.goOnline();
  await ann.until(() => ann.all("online").some(({ users }) => users.includes(b)), "bob online");
  const { id, place } = await ann.client.send(`@${b}`, "Are you there?");
  assert.equal(place, `@${b}`);
  const received = await bob.next("message", (message) => message.place === `@${a}`);
  assert.deepEqual([received.id, received.sender, received.content], [id, a, "Are you there?"]);
  const [chat] = await bob.client.chats();
  assert.deepEqual([chat.user, chat.unread, chat.lastMessage.id], [a, 1, id]);
  bob.client.seen(`@${a}`, received.seq);
  assert.deepEqual(await ann.next("seen"), { place: `@${b}`, user: b, seq: received.seq });
  const { items } = await ann.client.history(`@${b}`);
  assert.deepEqual(items.map(({ content, seen }) => [content, seen]), [["Are you there?", true]]);
});

test("Whoever comes online later is told of the chats with what is unread.", async () => {
  const { ann } = await two();
  const dora = `dora${numbers}`;
  for (const text of ["one", "two"]) await ann.client.send(`@${dora}`, text);
  const late = await on(2, dora);
  const [chat] = await late.client.goOnline();
  assert.deepEqual([chat.place, chat.unread, chat.lastMessage.content], [`@${ann.client.username}`, 2, "two"]);
  assert.equal((await late.client.createChat(ann.client.username)).chatId, chat.chatId);
});

test("Who types is told by name, and that it is over.", async () => {
  const { ann, bob, place } = await two();
  bob.client.typing(place);
  assert.deepEqual(await ann.next("typing"), { place, users: [bob.client.username] });
  await ann.until(() => ann.all("typing").at(-1).users.length === 0, "the end of it");
});

test("Who stops typing is told from who types on, and a message ends it at once.", async () => {
  const { ann, bob, room, place } = await two();
  const carl = await on(2, `carl${numbers}`);
  await carl.client.join(room);
  const [b, c] = [bob.client.username, carl.client.username];
  bob.client.typing(place);
  await ann.until(() => ann.all("typing").at(-1)?.users.join() === b, "bob");
  // One sign might end before the other is shown.
  const types = setInterval(() => [bob, carl].forEach(({ client }) => client.typing(place)), 100);
  await ann.until(() => ann.all("typing").at(-1).users.join() === [b, c].join(), "both").finally(() => clearInterval(types));
  await bob.client.send(place, "said");
  await ann.until(() => ann.all("typing").at(-1).users.join() === c, "carl alone");
  await ann.until(() => ann.all("typing").at(-1).users.length === 0, "the end of it");
});

test("A message that is deleted, and a room that is cleared, are told to both.", async () => {
  const { ann, bob, room, place } = await two();
  const { id } = await ann.client.send(place, "a slip");
  await assert.rejects(bob.client.deleteMessage(id), { code: "forbidden" });
  await ann.client.deleteMessage(id);
  for (const one of [ann, bob]) assert.equal((await one.next("deleted")).id, id);
  await ann.client.send(place, "more");
  await bob.client.clear(room);
  for (const one of [ann, bob]) assert.equal((await one.next("cleared")).place, place);
  assert.deepEqual((await bob.client.history(place)).items, []);
  await ann.client.send(place, "anew");
  await bob.next("message", ({ content }) => content === "anew");
});

test("Asked to, the client tells when the database has a message.", async () => {
  const { ann, place } = await two({ durable: true });
  const { seq } = await ann.client.send(place, "for good");
  assert.equal((await ann.next("durable")).seq, seq);
  assert.deepEqual(ann.all("outbox").map(({ state }) => state), ["waiting", "accepted", "durable"]);
  assert.deepEqual(ann.client.outbox, []);
});

test("What the server refuses is an error with a code, and stays in the outbox until it is discarded.", async () => {
  const { ann, place } = await two();
  await assert.rejects(ann.client.send(place, "x".repeat(4001)), { code: "too_long" });
  const [entry] = ann.client.outbox;
  assert.deepEqual([entry.state, entry.error.code], ["failed", "too_long"]);
  ann.client.discard(entry.clientMsgId);
  assert.deepEqual(ann.client.outbox, []);
  await assert.rejects(ann.client.request("nothing", {}), { code: "unknown_event" });
  await assert.rejects(ann.client.request("history", {}), { code: "bad_request" });
});

test("A name that cannot be one ends the client with a clear error.", async () => {
  const bad = new Listener(cluster.url, "two\nlines");
  await assert.rejects(bad.client.connect(), { code: "bad_request" });
  assert.equal(bad.client.state, "closed");
  assert.throws(() => new Listener(cluster.url, ""), TypeError);
  assert.throws(() => bad.client.send("general", "x"), /a place is "#room" or "@user"/);
});

test("A token goes to the server before all else, and one that it does not take ends the client.", async () => {
  const one = new Listener(cluster.url, "ann", { token: async () => "not a token" });
  await assert.rejects(one.client.connect(), /./);
  assert.equal(one.client.state, "closed");
});

test("Who is kicked or banned is told so and is in the room no more; the others see it in order.", async () => {
  const { ann, bob, room, place } = await two();
  const { username } = bob.client;
  await ann.client.setModerator(room, "mia");
  await ann.client.send(place, "one");
  await ann.client.kick(room, username);
  await bob.until(() => bob.all("lost").length === 1, "to be put out");
  assert.deepEqual(bob.all("lost")[0], { place, code: "kicked", message: "you were put out of the room", reason: "kicked" });
  await bob.client.join(room);
  await ann.client.send(place, "two");
  await bob.until(() => bob.texts(place).includes("two"), "to be in again");
  await ann.client.ban(room, username);
  await bob.until(() => bob.all("lost").length === 2, "to be banned");
  await assert.rejects(bob.client.join(room), { code: "forbidden", reason: "banned" });
  await ann.client.unban(room, username);
  await bob.client.join(room);
  await ann.client.setPassword(room, "key");
  for (const one of [ann, bob]) await one.until(() => one.all("passwordChanged").length, "to hear of the password");
  const changes = ["moderatorChanged", "kicked", "banned", "unbanned", "passwordChanged"].map((type) => ann.all(type)[0]);
  const by = ann.client.username;
  assert.deepEqual(changes, [
    { place, seq: 1, user: "mia", by, moderator: true },
    { place, seq: 3, user: username, by },
    { place, seq: 5, user: username, by },
    { place, seq: 6, user: username, by },
    { place, seq: 7, by, protected: true },
  ]);
  assert.deepEqual(ann.all("error"), []);
});
