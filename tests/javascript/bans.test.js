/** Bans, as the JavaScript client tells of them, and notes that users write to themselves. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener } from "./support/listening.js";
import { Relay } from "./support/relay.js";

let cluster, numbers = 0;

before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());
afterEach(() => Listener.closeAll());

/** Two clients on two gateways, with names that no other test has, and a room of the first. */
async function two(password) {
  const n = ++numbers, room = `bans ${n}`;
  const [ann, bob] = await Promise.all(["ann", "bob"].map((name, at) => Listener.connected(cluster.gateway(at + 1), `${name}-bans-${n}`)));
  await ann.client.createRoom(room, { password });
  await ann.client.join(room, { password });
  return { ann, bob, room, place: `#${room}`, name: bob.client.username };
}

test("Who is banned from an open room is told why, and when the ban ends.", async () => {
  const { ann, bob, room, place, name } = await two();
  assert.deepEqual(await ann.client.ban(room, name), { known: true });
  const refusal = { code: "forbidden", reason: "banned", retryable: false };
  await assert.rejects(bob.client.join(room), refusal);
  await assert.rejects(bob.client.request("history", { room }), refusal);
  await ann.client.unban(room, name);
  await bob.until(() => bob.all("banLifted").length === 1, "to hear of the end of the ban");
  assert.deepEqual(bob.all("banLifted"), [{ place }]);
  await bob.client.join(room);
  assert.deepEqual(bob.all("error"), []);
});

test("A ban while the client is away is the reason for which the room is lost.", async (context) => {
  const { ann, room, place } = await two();
  const relay = await Relay.before(cluster.gateway(2));
  context.after(() => relay.close());
  const name = `away-${numbers}`, away = await Listener.connected(relay.url, name);
  await away.client.join(room);
  relay.cut();
  await away.until(() => away.client.state === "reconnecting", "the loss of the connection");
  await ann.client.ban(room, name);
  relay.mend();
  away.client.reconnectNow();
  await away.until(() => away.all("lost").length, "to hear that the room is lost");
  const [{ message, ...lost }] = away.all("lost");
  assert.deepEqual(lost, { place, code: "forbidden", reason: "banned" });
  assert.match(message, /banned/);
});

test("Of a room with a password, who is banned learns nothing.", async () => {
  const { ann, bob, room, name } = await two("key");
  await ann.client.ban(room, name);
  for (const password of ["key", "wrong"]) {
    await assert.rejects(bob.client.join(room, { password }), { code: "forbidden", reason: undefined });
  }
  await ann.client.unban(room, name);
  await bob.client.join(room, { password: "key" });
  assert.deepEqual(bob.all("banLifted"), []);
});

test("The banned and the moderators are listed in pages, and a name that nobody has is said to be.", async () => {
  const { ann, room } = await two();
  for (const user of ["zoe", "7", "dan"]) assert.deepEqual(await ann.client.ban(room, `${room} ${user}`), { known: false });
  await ann.client.setModerator(room, "mia");
  const names = ["7", "dan", "zoe"].map((user) => `${room} ${user}`);
  assert.deepEqual(await ann.client.banned(room), { users: names, more: false });
  assert.deepEqual(await ann.client.banned(room, { limit: 2 }), { users: names.slice(0, 2), more: true });
  assert.deepEqual(await ann.client.banned(room, { after: names[1], limit: 2 }), { users: names.slice(2), more: false });
  assert.deepEqual(await ann.client.moderators(room), { users: ["mia"], more: false });
  await ann.client.unban(room, names[1]);
  assert.deepEqual((await ann.client.banned(room)).users, [names[0], names[2]]);
});

test("Owner and moderators read what was done by whom, in pages, the newest first; others are refused.", async () => {
  const { ann, bob, room, name } = await two();
  const mia = await Listener.connected(cluster.gateway(2), `mia-bans-${numbers}`);
  const mine = ann.client.username, hers = mia.client.username;
  for (const { client } of [bob, mia]) await client.join(room);
  const { id } = await bob.client.send(`#${room}`, "rude");
  await ann.client.setModerator(room, hers);
  await mia.client.deleteMessage(id);
  await assert.rejects(bob.client.moderationLog(room), { code: "forbidden" });
  await mia.client.ban(room, name);
  const { items, next, partial } = await mia.client.moderationLog(room);
  assert.deepEqual(items.map(({ seq: _, at, ...facts }) => [facts, Number.isNaN(Date.parse(at))]), [
    { action: "banned", by: hers, user: name },
    { action: "messageDeleted", by: hers, user: name, messageId: id },
    { action: "moderatorChanged", by: mine, user: hers, moderator: true },
    { action: "roomCreated", by: mine },
  ].map((facts) => [facts, false]));
  assert.deepEqual([next, partial], [null, undefined]);
  const newest = await ann.client.moderationLog(room, { limit: 3 });
  assert.deepEqual(newest.items, items.slice(0, 3));
  const oldest = await ann.client.moderationLog(room, { before: newest.next, limit: 3 });
  assert.deepEqual([oldest.items, oldest.next], [items.slice(3), null]);
});

test("Notes come once to each of the user's clients, in one chat, and are never unread.", async () => {
  const name = `notes-${++numbers}`, place = `@${name}`;
  const [here, there] = await Promise.all([1, 2].map((gateway) => Listener.connected(cluster.gateway(gateway), name)));
  for (const one of [here, there]) await one.client.goOnline();
  assert.equal((await here.client.createChat(name)).place, place);
  await here.client.send(place, "buy milk");
  await there.client.send(place, "and tea");
  for (const one of [here, there]) {
    await one.until(() => one.texts(place).length === 2, "both notes");
    const [chat, ...others] = await one.client.chats();
    assert.deepEqual(others, []);
    assert.deepEqual([chat.place, chat.user, chat.unread, chat.lastMessage.content], [place, name, 0, "and tea"]);
    assert.deepEqual((await one.client.history(place)).items.map(({ content }) => content), ["buy milk", "and tea"]);
  }
  here.client.seen(place, 2);
  await there.until(() => there.all("seen").length === 1, "how far the notes were read");
  assert.deepEqual(there.all("seen"), [{ place, user: name, seq: 2 }]);
  assert.deepEqual(here.texts(place), ["buy milk", "and tea"]);
  for (const one of [here, there]) assert.deepEqual(one.all("error"), []);
});
