/** Names on the page: those that people have, in the spelling that the server has for them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "./support/stage.js";

const stage = new Stage();
const { comes } = stage;

const FAMILY = "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}";
const isCalled = (person, name) => person.page.getByRole("heading", { level: 2, name, exact: true }).waitFor();

test("A room that is opened by another spelling is the one room, under its own name.", async () => {
  const room = `Café ${FAMILY}`, typed = `\u3000CAFE\u0301  ${FAMILY}`;
  const ann = await comes(1, "Ann \u06af\u0641\u062a\u200c\u0648");
  await ann.page.getByRole("button", { name: "Create or join a room" }).click();
  await ann.page.getByLabel("Name", { exact: true }).fill(` ${room} `);
  await ann.page.getByRole("button", { name: "Create room" }).click();
  await isCalled(ann, room);
  const bob = await comes(2, "Bob", { at: `/#/room/${encodeURIComponent(typed)}` });
  await isCalled(bob, room);
  assert.equal(decodeURIComponent(new URL(bob.page.url()).hash), `#/room/${room}`);
  await bob.say("here by another spelling");
  await ann.row("here by another spelling").getByText("Bob").waitFor();
  await ann.say("seen");
  await bob.row("seen").getByText("Ann \u06af\u0641\u062a\u200c\u0648").waitFor();
  const names = await bob.page.locator("side-bar [data-place^='#']").evaluateAll((all) => all.map(({ dataset }) => dataset.place));
  assert.deepEqual(names.filter((name) => name.toLowerCase().includes("caf")), [`#${room}`]);
  await bob.page.reload();
  await isCalled(bob, room);
  await bob.row("seen").waitFor();
  assert.deepEqual(await bob.texts(), ["here by another spelling", "seen"]);
});

test("A user who signs in by another spelling is the user who was there first.", async () => {
  await comes(1, "Zoë Doe");
  const again = await comes(2, " ZOE\u0308  DOE ");
  await again.createRoom("zoe's");
  await again.say("it is me");
  await again.page.locator("side-bar").getByText("Zoë Doe").first().waitFor();
  await again.page.reload();
  await again.row("it is me").waitFor();
  assert.equal(await again.page.evaluate(() => localStorage.getItem("parley/name")), "Zoë Doe");
});

test("A direct chat by another spelling of the name goes on in the chat that there is.", async () => {
  const [carl, dora] = await Promise.all([comes(1, "Carl"), comes(2, "Dora")]);
  await carl.page.getByRole("button", { name: "New direct chat" }).click();
  await carl.page.getByLabel("Name", { exact: true }).fill("DORA");
  await carl.page.getByRole("button", { name: "Start", exact: true }).click();
  await carl.say("hello");
  await dora.place("@Carl").click();
  await dora.row("hello").waitFor();
  await isCalled(carl, "Dora");
  assert.deepEqual(await carl.texts(), ["hello"]);
});

test("A name that nobody can see is refused in the server's words.", async () => {
  const ann = await comes(1, "Eve");
  await ann.page.getByRole("button", { name: "Create or join a room" }).click();
  await ann.page.getByLabel("Name", { exact: true }).fill("a\u200bb");
  await ann.page.getByRole("button", { name: "Create room" }).click();
  await ann.page.getByText("a name cannot have U+200B (ZERO WIDTH SPACE) here.").waitFor();
});
