/** What the page shows when gateways die, networks fail and pages end. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Listener } from "../javascript/support/listening.js";
import { Relay } from "../javascript/support/relay.js";
import { doUntil } from "./support/browser.js";
import { Stage } from "./support/stage.js";

const stage = new Stage();
const { comes } = stage;
const relays = [];

afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.close()));
});

async function relayed(url = stage.cluster.url) {
  const relay = await Relay.before(url);
  relays.push(relay);
  return relay;
}

/** Ann, whose network can be cut, in a room with a listener who has no page. */
async function annAndListener(room) {
  const relay = await relayed();
  const ann = await comes(relay.url, `ann ${room}`);
  await ann.createRoom(room);
  const carl = await Listener.connected(stage.cluster.gateway(2), `carl ${room}`);
  await carl.client.join(room);
  return { relay, ann, carl, place: `#${room}` };
}

/** The network is back, and the browser notices. */
async function mended(relay, one) {
  relay.mend();
  await one.page.evaluate(() => window.dispatchEvent(new Event("online")));
}

test("A gateway is killed while both type: nothing is lost, doubled or out of order on either screen.", async () => {
  // Both come through the load balancer, which shares them out: each has a gateway, and one dies.
  const [ann, bob] = [await comes(stage.cluster.url, "ann"), await comes(stage.cluster.url, "bob")];
  await ann.createRoom("storm");
  await bob.goes("storm");
  const gateway = /gateway-\d/.exec(await ann.sign.textContent())[0];
  assert.notEqual(gateway, /gateway-\d/.exec(await bob.sign.textContent())[0]);
  const write = async (one, letter) => {
    for (let n = 0; n < 25; n++) await one.say(`${letter}${n}`);
  };
  const writing = Promise.all([write(ann, "a"), write(bob, "b")]);
  await bob.row("a5").waitFor();
  const pid = await stage.cluster.kill(gateway);
  await writing;
  for (const one of [ann, bob]) {
    for (const last of ["a24", "b24"]) await one.row(last).waitFor();
    await one.page.locator('.row:is([data-state="waiting"], [data-state="sent"])').first().waitFor({ state: "detached" });
  }
  await ann.sign.getByText("Connected to gateway-").waitFor();
  const texts = await ann.texts();
  assert.equal(texts.length, 50);
  assert.deepEqual(await bob.texts(), texts);
  for (const letter of ["a", "b"]) {
    const numbers = texts.filter((text) => text[0] === letter).map((text) => Number(text.slice(1)));
    assert.deepEqual(numbers, Array.from({ length: 25 }, (_, n) => n));
  }
  await stage.cluster.restarted(gateway, pid);
});

test("The gateway of one who types is killed: the line says so no longer.", async () => {
  const ann = await comes(stage.cluster.gateway(1), "ann meadow");
  await ann.createRoom("meadow");
  const bob = await Listener.connected(stage.cluster.gateway(2), "bob meadow");
  await bob.client.join("meadow");
  await doUntil(() => bob.client.typing("#meadow"), () =>
    ann.page.locator("p.typing").getByText("bob meadow is typing").waitFor());
  const pid = await stage.cluster.kill("gateway-2");
  await ann.page.locator("p.typing:empty").waitFor({ state: "attached", timeout: 15_000 });
  await stage.cluster.restarted("gateway-2", pid);
});

test("What is written without a connection waits in sight, and is sent once.", async () => {
  const { relay, ann, carl, place } = await annAndListener("island");
  relay.cut();
  await ann.sign.getByText("Reconnecting").waitFor();
  for (const text of ["one", "two", "three"]) await ann.say(text);
  for (const text of ["one", "two", "three"]) {
    await ann.row(text).getByRole("img", { name: "Waiting to be sent" }).waitFor();
  }
  await carl.client.send(place, "and from elsewhere");
  await mended(relay, ann);
  await ann.row("and from elsewhere").waitFor();
  await ann.row("three").getByRole("img", { name: "Stored" }).waitFor();
  await carl.until(() => carl.texts(place).length === 4, "all four");
  assert.deepEqual(carl.texts(place), ["and from elsewhere", "one", "two", "three"]);
  assert.deepEqual(await ann.texts(), carl.texts(place));
});

test("A reload keeps what waits to be sent, also before there is a connection again.", async () => {
  const { relay, ann, carl, place } = await annAndListener("cellar");
  relay.cut({ pages: true });
  await ann.sign.getByText("Reconnecting").waitFor();
  for (const text of ["kept", "kept too"]) await ann.say(text);
  await ann.row("kept too").getByRole("img", { name: "Waiting to be sent" }).waitFor();
  await ann.page.reload();
  await ann.row("kept too").getByRole("img", { name: "Waiting to be sent" }).waitFor();
  assert.deepEqual(carl.texts(place), []);
  await mended(relay, ann);
  await ann.row("kept too").getByRole("img", { name: "Stored" }).waitFor();
  await carl.until(() => carl.texts(place).length === 2, "both");
  await ann.page.reload();
  await ann.row("kept too").getByRole("img", { name: "Stored" }).waitFor();
  assert.deepEqual(await ann.texts(), ["kept", "kept too"]);
  assert.deepEqual(carl.texts(place), ["kept", "kept too"]);
});

test("It says that it reconnects and in how many seconds, and how much it caught up with.", async () => {
  const { relay, ann, carl, place } = await annAndListener("harbour");
  relay.cut();
  await ann.sign.getByText("Reconnecting").waitFor();
  await ann.sign.getByText(/in \d+ s/).waitFor();
  for (let n = 0; n < 14; n++) await carl.client.send(place, `${n}`);
  await mended(relay, ann);
  await ann.sign.getByText("Caught up: 14 messages").waitFor();
  await ann.sign.getByText(/Connected to gateway-\d/).waitFor();
  assert.deepEqual(await ann.texts(), Array.from({ length: 14 }, (_, n) => `${n}`));
});

test("On a phone the conversation itself says that the connection is lost.", async () => {
  const relay = await relayed();
  const ann = await comes(relay.url, "ann phone", { context: { viewport: { width: 390, height: 844 } } });
  const sign = ann.page.locator("conversation-view connection-sign");
  await ann.writing.waitFor();
  await sign.waitFor({ state: "hidden" });
  relay.cut();
  await sign.getByText("Reconnecting").waitFor();
  await mended(relay, ann);
  await sign.waitFor({ state: "hidden" });
});

test("What the server refuses is shown with its reason, and can be discarded.", async () => {
  const ann = await comes(stage.cluster.gateway(1), "ann refused");
  await ann.createRoom("narrow");
  // The page knows the limit; a server that was told another one meanwhile still has the last word.
  await ann.page.evaluate(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (text) {
      return send.call(this, text.replace("too much", "x".repeat(5000)));
    };
  });
  await ann.say("too much");
  await ann.page.getByText("Not sent: a message has at most 4000 characters.").waitFor();
  await ann.page.getByRole("button", { name: "Discard" }).click();
  await ann.row("too much").waitFor({ state: "detached" });
});
