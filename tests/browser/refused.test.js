/** What the page shows of a message that cannot be sent, and how its author gets it back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Listener } from "../javascript/support/listening.js";
import { isAccessible } from "./support/browser.js";
import { Stage } from "./support/stage.js";

/** Half of a surrogate pair, as a script leaves it that cuts texts by length. */
const HALF = "cut\ud83d off";
const REASON = "Not sent: a text has half of a surrogate pair: a character was cut in two.";

const stage = new Stage();
const { comes } = stage;

/** Ann with the page, in a room with a listener who has none. */
async function annAndListener(room, options) {
  const ann = await comes(1, `ann ${room}`, options);
  await ann.createRoom(room);
  const carl = await Listener.connected(stage.cluster.gateway(2), `carl ${room}`);
  await carl.client.join(room);
  return { ann, carl, place: `#${room}` };
}

/** Write what no keyboard writes. */
async function says(ann, text) {
  await ann.writing.evaluate((field, value) => {
    field.value = value;
    field.dispatchEvent(new Event("input"));
  }, text);
  await ann.writing.press("Enter");
}

test("A message that cannot be sent says why, holds up no other, stays so over a reload, and is edited by keyboard.", async () => {
  const { ann, carl, place } = await annAndListener("cliff");
  const { page } = ann;
  await says(ann, HALF);
  await page.getByRole("alert").getByText(REASON).waitFor();
  await ann.say("after it");
  await carl.until(() => carl.texts(place).length === 1, "what was said after it");
  await page.reload();
  await page.getByText(REASON).waitFor();
  await ann.row("after it").waitFor();
  assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
  await isAccessible(ann);

  await ann.writing.fill("and more");
  await page.getByRole("button", { name: "Edit" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText(REASON).waitFor({ state: "detached" });
  assert.equal(await ann.writing.inputValue(), "cut\ufffd off\nand more");
  assert.ok(await ann.writing.evaluate((field) => field === document.activeElement));
  await page.keyboard.press("Enter");
  await carl.until(() => carl.texts(place).length === 2, "the edited one");
  assert.deepEqual(carl.texts(place), ["after it", "cut\ufffd off\nand more"]);
  await page.reload();
  await ann.row("and more").getByRole("img", { name: /Stored|Seen/ }).waitFor();
  assert.equal(await page.locator(".refusal").count(), 0);
});

test("What an older page left in the outbox and no server takes is shown as failed, and the rest is sent.", async () => {
  const before = ({ page }) => page.addInitScript(([contents, prefix]) => {
    if (localStorage.getItem("filled")) return;
    localStorage.setItem("filled", "1");
    contents.forEach((content, n) => localStorage.setItem(`${prefix}00${n}.${n}`, JSON.stringify({
      clientMsgId: `old ${n}`, place: "#attic", content, createdAt: new Date().toISOString(), id: null, seq: null, error: null,
    })));
  }, [[HALF, "good", "x".repeat(70_000)], `parley/outbox/${stage.cluster.gateway(1).replace("http", "ws")}/ws/ann attic/`]);
  const { ann, carl, place } = await annAndListener("attic", { before });
  const { page } = ann;
  await page.getByText(REASON).waitFor();
  await page.getByText("Not sent: a message has at most 4000 characters.").waitFor();
  await ann.row("good").getByRole("img", { name: /Stored|Seen/ }).waitFor();
  await ann.say("new");
  const { messages } = await carl.client.join("attic");
  await carl.until(() => messages.length + carl.texts(place).length >= 2, "the good ones");
  for (let left = 2; left > 0; left--) await page.getByRole("button", { name: "Discard" }).first().click();
  await page.locator(".refusal").first().waitFor({ state: "detached" });
  await page.reload();
  await ann.row("new").waitFor();
  assert.equal(await page.locator(".refusal").count(), 0);
});

test("A frame that the server finds too large is shown as failed after one reconnect.", async () => {
  const { ann, carl, place } = await annAndListener("ledge");
  const { page } = ann;
  await page.evaluate(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (text) {
      return send.call(this, text.replace("too much", "x".repeat(70_000)));
    };
  });
  await ann.say("too much");
  await page.getByText(/Not sent: a request has \d+ bytes, more than the server takes/).waitFor();
  await ann.say("fits");
  await carl.until(() => carl.texts(place).length === 1, "the next one");
  const notices = carl.all("notice", ({ content }) => content === "ann ledge disconnected");
  assert.ok(notices.length <= 1, `${notices.length} disconnects`);
  await page.getByRole("button", { name: "Try again" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Discard" }).click();
  await ann.row("too much").waitFor({ state: "detached" });
});
