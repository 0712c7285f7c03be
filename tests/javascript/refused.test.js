/** What becomes of messages that no server takes, or that get no answer: they fail, and others go on. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener, Storage } from "./support/listening.js";

/** Half of a surrogate pair, as a text field leaves it that cuts by length. */
const HALF = "a\ud83db";

let cluster, numbers = 0;

before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());
afterEach(() => Listener.closeAll());

/** A WebSocket class. `sent(frame, answer)`: return true to keep a frame from the server. `received`: change a frame. */
function tapped({ sent = () => false, received = (frame) => frame }) {
  return class extends WebSocket {
    set onmessage(listener) {
      super.onmessage = ({ data }) => listener({ data: JSON.stringify(received(JSON.parse(data))) });
      this.listener = listener;
    }

    send(text) {
      const answer = (frame) => queueMicrotask(() => this.listener({ data: JSON.stringify(frame) }));
      if (!sent(JSON.parse(text), answer, text)) super.send(text);
    }
  };
}

const isSend = ({ event }) => event === "message" || event === "sendMessage";

/** A client in a room of its own, and the frames that it sent. */
async function alone(options = {}, tap = {}) {
  const n = ++numbers, room = `room ${n}`, frames = [];
  const sent = (frame, answer, text) => {
    frames.push({ ...frame, bytes: Buffer.byteLength(text) });
    return tap.sent?.(frame, answer) ?? false;
  };
  const ann = await Listener.connected([cluster.gateway(1), cluster.gateway(2)], `ann${n}`,
    { WebSocket: tapped({ ...tap, sent }), ...options });
  await ann.client.createRoom(room);
  await ann.client.join(room);
  return { ann, room, place: `#${room}`, frames };
}

const reconnects = (one) => one.all("state", ({ state }) => state === "reconnecting").length;

const BAD = [
  ["half of a surrogate pair", HALF, "bad_request", /half of a surrogate pair/],
  ["the other half, at the end", "b\ude00", "bad_request", /half of a surrogate pair/],
  ["NUL", "a\0b", "bad_request", /NUL/],
  ["no character", "", "bad_request", /at least one character/],
  ["a number", 7, "bad_request", /a text/],
  ["one character too many", "x".repeat(4001), "too_long", /at most 4000 characters/],
  ["control characters", "\u0001".repeat(2667), "too_long", /at most 16000 bytes/],
  ["more than a frame takes", "x".repeat(70_000), "too_long", /at most 4000 characters/],
];

test("A message that no server takes fails by itself, with the reason, and is never sent.", async () => {
  const { ann, place, frames } = await alone();
  for (const [name, content, code, message] of BAD) {
    for (const to of [place, "@bob"]) {
      const failed = ann.client.send(to, content, { clientMsgId: `${name} ${to}` });
      const next = ann.client.send(to, `after ${name}`);
      await assert.rejects(failed, { code, message, retryable: false }, name);
      await next;
    }
  }
  assert.equal(frames.filter(isSend).length, 2 * BAD.length);
  assert.equal(reconnects(ann), 0);
  assert.deepEqual(ann.client.outbox.map(({ state }) => state), Array(2 * BAD.length).fill("failed"));
  for (const { clientMsgId } of ann.client.outbox) ann.client.discard(clientMsgId);
  assert.deepEqual(ann.client.outbox, []);
});

test("Characters count as the server counts them: 4,000 emoji are a message, 4,001 are not.", async () => {
  const { ann, place } = await alone();
  await ann.client.send(place, "\u{1f600}".repeat(4000));
  await assert.rejects(ann.client.send(place, "\u{1f600}".repeat(4001)), { code: "too_long" });
  assert.equal(ann.client.maxFrame, 65_536);
});

test("A failed message can be sent again under its name, with another text.", async () => {
  const { ann, place } = await alone();
  await assert.rejects(ann.client.send(place, HALF, { clientMsgId: "one" }), { code: "bad_request" });
  ann.client.resend("one");
  assert.equal(ann.client.outbox[0].state, "failed");
  await ann.client.send(place, "whole", { clientMsgId: "one" });
  assert.deepEqual(ann.client.outbox, []);
  await ann.until(() => ann.texts(place).length === 1);
  assert.deepEqual(ann.texts(place), ["whole"]);
});

test("An outbox that an older client stored drains: bad messages fail, and stay failed over reloads.", async () => {
  const name = `ann${numbers + 1}`, place = `#room ${numbers + 1}`, storage = new Storage();
  const prefix = `parley/outbox/${cluster.gateway(1).replace("http", "ws")}/ws/${name}/`;
  const contents = [HALF, "good 1", "x".repeat(70_000), "good 2"];
  contents.forEach((content, n) => storage.setItem(`${prefix}00${n}.${n}`, JSON.stringify({
    clientMsgId: `old ${n}`, place, content, createdAt: new Date().toISOString(), id: null, seq: null, error: null, failures: 0,
  })));
  storage.setItem(`${prefix}009`, "null");
  storage.setItem(`${prefix}0091`, JSON.stringify({ clientMsgId: "x", place: 7, content: "x" }));
  const { ann } = await alone({ storage });
  await ann.until(() => ann.texts(place).length === 2, "the good ones");
  assert.deepEqual(ann.texts(place), ["good 1", "good 2"]);
  const failed = () => ann.client.outbox.map(({ clientMsgId, state, error }) => [clientMsgId, state, error.code]);
  const expected = [["old 0", "failed", "bad_request"], ["old 2", "failed", "too_long"]];
  assert.deepEqual(failed(), expected);
  ann.client.close();
  const frames = [], WebSocket = tapped({ sent: (frame) => void frames.push(frame) });
  const again = await Listener.connected(cluster.gateway(1), name, { storage, WebSocket });
  await again.client.join(place.slice(1));
  await again.client.send(place, "later");
  assert.deepEqual(again.client.outbox.map(({ clientMsgId, state, error }) => [clientMsgId, state, error.code]), expected);
  assert.equal(frames.filter(isSend).length, 1);
});

test("Where nobody said how much the server takes, a frame too large costs one reconnect and fails; others arrive.", async () => {
  const received = (frame) => frame.event === "welcome" ? { ...frame, data: { ...frame.data, maxContent: 1e6, maxFrame: 1e6 } } : frame;
  const { ann, place } = await alone({}, { received });
  const sends = ["a", "b", "x".repeat(70_000), "c"].map((text) => ann.client.send(place, text));
  const [large] = await Promise.all([sends[2], ...sends.slice(0, 2), sends[3], ann.client.send("@bob", "d")].map((one) =>
    one.then(() => null, (error) => error)));
  assert.equal(large.code, "too_long");
  assert.match(large.message, /a request has 70\d\d\d bytes/);
  await Promise.all([sends[0], sends[1], sends[3]]);
  assert.equal(reconnects(ann), 1);
  await assert.rejects(ann.client.request("getRooms", { after: "x".repeat(70_000) }, { repeat: true }), { code: "too_long" });
  assert.equal(reconnects(ann), 2);
  await ann.client.send(place, "e");
  await ann.until(() => ann.texts(place).includes("e"), "what followed");
  assert.deepEqual(ann.texts(place), ["a", "b", "c", "e"]);
});

test("Any request is checked: one too large, or with half of a surrogate pair, is refused before it is sent.", async () => {
  const { ann, frames } = await alone();
  const before = frames.length;
  await assert.rejects(ann.client.request("getRooms", { after: "x".repeat(70_000) }), { code: "too_long", message: /65536/ });
  await assert.rejects(ann.client.createRoom(HALF), { code: "bad_request" });
  await assert.rejects(ann.client.request("fly", { deep: [{ [HALF]: 1 }] }), { code: "bad_request" });
  assert.equal(frames.length, before);
  await assert.rejects(ann.client.request("fly", { text: "\\ud83d" }), { code: "unknown_event" });
  assert.equal(reconnects(ann), 0);
});

test("A send that is not answered is sent again with the same name, and is one message.", async () => {
  let lost = 2;
  const { ann, place, frames } = await alone({ answerTimeoutMs: 1500 }, { sent: (frame) => isSend(frame) && lost-- > 0 });
  await Promise.all([ann.client.send(place, "one"), ann.client.send(place, "two")]);
  await ann.until(() => ann.texts(place).length === 2);
  assert.deepEqual(ann.texts(place), ["one", "two"]);
  const tries = frames.filter(isSend).map(({ data }) => data);
  // A slow answer costs a further try of the first one, but the second never overtakes it.
  const ones = tries.filter(({ content }) => content === "one");
  assert.ok(ones.length >= 3);
  assert.deepEqual(ones.map(({ resend = false }) => resend), ones.map((_, n) => n > 0));
  const second = tries.findIndex(({ content }) => content === "two");
  assert.equal(second, ones.length);
  assert.ok(!tries[second].resend);
  assert.equal(new Set(tries.map(({ clientMsgId }) => clientMsgId)).size, 2);
});

test("A reply that is lost makes one message, though it is sent again.", async () => {
  let lost = 1;
  const isReply = ({ event, data }) => event === "reply" && data.seq !== undefined;
  const received = (frame) => isReply(frame) && lost-- > 0 ? { event: "unheard" } : frame;
  const { ann, place } = await alone({ answerTimeoutMs: 1500 }, { received });
  const { seq } = await ann.client.send(place, "one");
  await ann.client.send(place, "two");
  await ann.until(() => ann.texts(place).length === 2);
  assert.deepEqual([seq, ann.texts(place)], [1, ["one", "two"]]);
});

test("A send that is never answered fails, and those behind it go on in order.", async () => {
  const { ann, place } = await alone({ answerTimeoutMs: 300 }, { sent: ({ data }) => data?.content === "poison" });
  const sends = ["one", "poison", "two"].map((content) => ann.client.send(place, content));
  await assert.rejects(sends[1], { code: "timeout", message: /may have been accepted/ });
  await sends[2];
  await ann.until(() => ann.texts(place).length === 2);
  assert.deepEqual(ann.texts(place), ["one", "two"]);
  assert.equal(reconnects(ann), 0);
  await assert.rejects(ann.client.request("getRooms", {}, { within: 0 }), { code: "timeout" });
});

const error = (data, id) => ({ event: "error", data, ...(id !== undefined && { id }) });
const ANSWERS = [
  ["bad_frame without an id", () => error({ code: "bad_frame", message: "unreadable", retryable: false }), "bad_frame"],
  ["an error of a code that nobody knows", ({ id }) => error({ code: "new", message: "m", retryable: false }, id), "new"],
  ["an error that says nothing", ({ id }) => error(undefined, id), "internal"],
  ["an error of another form", ({ id }) => error(null, id), "internal"],
  ["a reply of another form", ({ id }) => ({ event: "reply", id, data: null }), undefined],
];

for (const [name, answerTo, code] of ANSWERS) {
  test(`A send that is answered with ${name} fails, and the next one is sent.`, async () => {
    const sent = (frame, answer) => frame.data?.content === "poison" && (answer(answerTo(frame)), true);
    const { ann, place } = await alone({}, { sent });
    const sends = ["poison", "next"].map((content) => ann.client.send(place, content));
    const failure = await sends[0].then(() => assert.fail("it was accepted"), (refused) => refused);
    assert.equal(failure.code, code);
    await sends[1];
    assert.deepEqual(ann.client.outbox.map(({ content, state }) => [content, state]), [["poison", "failed"]]);
  });
}

test("What a client resumes is split into requests that fit into a frame.", async () => {
  const limit = 1500;
  const received = (frame) => frame.event === "welcome" ? { ...frame, data: { ...frame.data, maxFrame: limit } } : frame;
  const { ann, place, frames } = await alone({}, { received });
  const rooms = Array.from({ length: 12 }, (_, n) => `${n} ${"\u4e00".repeat(100)} ${numbers}`);
  for (const room of rooms) {
    await ann.client.createRoom(room, { password: "sesame" });
    await ann.client.join(room, { password: "sesame" });
  }
  const asked = () => frames.filter(({ event }) => event === "resume");
  const pid = await cluster.kill("gateway-1");
  await ann.next("caughtUp");
  await cluster.restarted("gateway-1", pid);
  assert.ok(asked().length > 1);
  assert.ok(frames.every(({ bytes }) => bytes <= limit));
  assert.equal(asked().flatMap(({ data }) => Object.keys(data.rooms)).length, rooms.length + 1);
  await ann.client.send(place, "back");
});
