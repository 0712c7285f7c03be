/** Names in another spelling than the server's: the client takes the server's, and knows both. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "./support/cluster.js";
import { Listener, Storage } from "./support/listening.js";

let cluster, numbers = 0;

before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());
afterEach(() => Listener.closeAll());

const on = (gateway, name, options) => Listener.connected(cluster.gateway(gateway), name, options);

test("A room that was joined by another spelling is kept under the server's, and found by both.", async () => {
  const n = ++numbers, room = `Lobby ${n}`, typed = ` LOBBY ${n} `;
  const [ann, bob] = await Promise.all([on(1, `ann${n}`), on(2, `bob${n}`)]);
  await ann.client.createRoom(` ${room} `);
  await ann.client.join(room);
  const sends = [ann.client.send(`#${room}`, "before")];
  const joined = await bob.client.join(typed);
  assert.equal(joined.place, `#${room}`);
  assert.deepEqual(bob.all("renamed"), [{ from: `#${typed}`, place: `#${room}` }]);
  sends.push(bob.client.send(`#${typed}`, "by the typed name"), bob.client.send(`#${room}`, "by the server's"));
  const accepted = await Promise.all(sends);
  assert.deepEqual(accepted.map(({ place }) => place), Array(3).fill(`#${room}`));
  await ann.until(() => ann.texts(`#${room}`).length === 3, "3 messages");
  const page = await bob.client.history(`#${typed}`);
  assert.deepEqual(page.items.map(({ content }) => content).sort(), ["before", "by the server's", "by the typed name"]);
  const again = await bob.client.join(typed);
  assert.equal(again.place, `#${room}`);
  await bob.client.leave(typed);
  await assert.rejects(bob.client.request("message", { room, content: "gone" }), { code: "not_joined" });
});

/** A WebSocket class that delivers the reply to a join after the message that follows it; and when it has the reply. */
function lateReplies() {
  let tell, reply = null;
  const isHeld = new Promise((resolve) => { tell = resolve; });
  const WebSocket = class extends globalThis.WebSocket {
    set onmessage(listener) {
      super.onmessage = (event) => {
        const { event: name, data } = JSON.parse(event.data);
        if (name === "reply" && data.head !== undefined) {
          reply = event;
          tell();
          return;
        }
        listener(event);
        if (name === "message") listener(reply);
      };
    }
  };
  return { WebSocket, isHeld };
}

test("What is said while a join by another spelling is on its way is not lost.", async () => {
  const n = ++numbers, room = `Busy ${n}`, { WebSocket, isHeld } = lateReplies();
  const ann = await on(1, `ann${n}`);
  await ann.client.createRoom(room);
  await ann.client.join(room);
  await ann.client.send(`#${room}`, "before");
  const bob = await on(2, `bob${n}`, { WebSocket });
  const joining = bob.client.join(room.toUpperCase());
  await isHeld;
  await ann.client.send(`#${room}`, "meanwhile");
  const joined = await joining;
  await bob.until(() => bob.texts(`#${room}`).length === 1, "what was said meanwhile");
  assert.deepEqual(joined.messages.map(({ content }) => content), ["before"]);
  assert.deepEqual(bob.texts(`#${room}`), ["meanwhile"]);
});

test("A user who signs in by another spelling gets the server's, and their unsent messages go with it.", async () => {
  const n = ++numbers, storage = new Storage();
  const first = await on(1, `Ann ${n}`);
  const second = new Listener(cluster.gateway(2), ` ANN ${n}`, { storage });
  await first.client.createRoom(`mine ${n}`);
  const sends = [second.client.send(`#MINE ${n}`, "written before")];
  await second.client.connect();
  assert.equal(second.client.username, `Ann ${n}`);
  assert.deepEqual(second.all("user"), [{ username: `Ann ${n}`, before: ` ANN ${n}` }]);
  sends.push(second.client.send(`#MINE ${n}`, "written after"));
  assert.deepEqual([...storage.keys()].map((key) => key.split("/").at(-2)), [`Ann ${n}`, `Ann ${n}`]);
  await second.client.join(`MINE ${n}`);
  await Promise.all(sends);
  await second.until(() => second.texts(`#mine ${n}`).length === 2, "both messages");
  assert.deepEqual(second.texts(`#mine ${n}`), ["written before", "written after"]);
  assert.equal(second.all("message")[0].sender, `Ann ${n}`);
  assert.equal(storage.size, 0);
});

test("A direct chat by another spelling of the user's name is the chat with that user.", async () => {
  const n = ++numbers;
  const [ann, bob] = await Promise.all([on(1, `Ann${n}`), on(2, `Bob${n}`)]);
  await Promise.all([ann.client.goOnline(), bob.client.goOnline()]);
  const sent = await ann.client.send(`@bob${n}`, "hello");
  assert.equal(sent.place, `@Bob${n}`);
  await bob.until(() => bob.texts(`@Ann${n}`).length === 1, "the message");
  await ann.until(() => ann.texts(`@Bob${n}`).length === 1, "its own message");
  assert.ok(ann.all("message")[0].clientMsgId);
  const chat = await bob.client.createChat(`ANN${n}`);
  assert.deepEqual([chat.place, chat.user], [`@Ann${n}`, `Ann${n}`]);
  await bob.client.send(`@ANN${n}`, "hi");
  await ann.until(() => ann.texts(`@Bob${n}`).length === 2, "the answer");
});

test("A name that nobody can have is refused in the server's words.", async () => {
  const ann = await on(1, `ann${++numbers}`);
  await assert.rejects(ann.client.createRoom("\u2800"), { code: "bad_request", message: /^a name has at least one/ });
  await assert.rejects(ann.client.join("a\u200bb"), { code: "bad_request", message: /U\+200B \(ZERO WIDTH SPACE\)/ });
  await assert.rejects(on(1, "a\u200bb"), /U\+200B/);
});
