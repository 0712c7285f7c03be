/** The conversations of the page, between two people on two gateways. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { doUntil, isAccessible, keepsBack } from "./support/browser.js";
import { Stage } from "./support/stage.js";

const stage = new Stage();
const { comes } = stage;

/** Two people, each on a gateway of their own, in a room. */
async function two(room, options) {
  const [ann, bob] = await Promise.all([comes(1, `ann ${room}`, options), comes(2, `bob ${room}`, options)]);
  await ann.createRoom(room);
  await bob.goes(room);
  await bob.page.getByText(`This is the beginning of ${room}.`).waitFor();
  return [ann, bob];
}

test("Two people on two gateways talk in a room, and see what was seen and who types.", async () => {
  const [ann, bob] = await two("garden");
  await ann.sign.getByText("Connected to gateway-1").waitFor();
  await bob.sign.getByText("Connected to gateway-2").waitFor();
  await ann.say("Is anybody here?");
  await bob.row("Is anybody here?").getByText("ann garden").waitFor();
  await ann.row("Is anybody here?").getByRole("img", { name: "Seen by bob garden" }).waitFor();
  await doUntil(() => bob.writing.pressSequentially("I"),
    () => ann.page.locator(".typing").getByText("bob garden is typing").waitFor());
  await bob.say("I am.\nOn two lines.");
  await ann.row("On two lines.").waitFor();
  assert.deepEqual(await ann.texts(), ["Is anybody here?", "I am.\nOn two lines."]);
  assert.deepEqual(await bob.texts(), await ann.texts());
});

test("Who sends a message types no more, while who types on stays on the line.", async () => {
  const [ann, bob] = await two("orchard");
  const carl = await comes(2, "carl orchard");
  await carl.goes("orchard");
  await carl.page.getByText("This is the beginning of orchard.").waitFor();
  const line = (text) => ann.page.locator("p.typing").getByText(text, { exact: true }).waitFor();
  await doUntil(async () => {
    await bob.writing.pressSequentially("I");
    await carl.writing.pressSequentially("I");
  }, () => line("bob orchard and carl orchard are typing"));
  await bob.say("said");
  await doUntil(() => carl.writing.pressSequentially("I"), () => line("carl orchard is typing"));
  await carl.say("said too");
  await ann.row("said too").waitFor();
  await ann.page.locator("p.typing:empty").waitFor({ state: "attached" });
});

test("Whoever makes a room while the page is still looking for the first one stays in theirs.", async () => {
  const [before, letGo] = keepsBack("getRooms");
  const ann = await comes(1, "ann early", { before });
  await ann.createRoom("early");
  letGo();
  await ann.say("Am I still here?");
  await ann.row("Am I still here?").getByRole("img", { name: "Stored" }).waitFor();
  assert.equal(await ann.page.locator("conversation-view").getByRole("heading", { level: 2 }).textContent(), "early");
});

test("A press on a button of the list is not lost when the list changes under it.", async () => {
  const [ann, bob] = [await comes(1, "ann presses"), await comes(2, "bob talks")];
  await ann.createRoom("press");
  await bob.goes("press");
  await ann.page.getByRole("button", { name: "Create or join a room" }).hover();
  await ann.page.mouse.down();
  await bob.say("Now");
  await ann.row("Now").waitFor();
  await ann.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await ann.page.mouse.up();
  await ann.page.getByLabel("Name", { exact: true }).waitFor();
  await ann.place("#press").filter({ hasText: "Now" }).waitFor();
});

test("Whoever leaves a room before they were let in is not in it after a reload.", async () => {
  const ann = await comes(1, "ann hasty");
  await ann.createRoom("hasty");
  const [before, letGo] = keepsBack("joinRoom", ({ room }) => room === "hasty");
  const bob = await comes(2, "bob hasty", { before });
  await bob.goes("hasty");
  await bob.page.getByRole("button", { name: "Leave room" }).click();
  await bob.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await bob.place("#hasty").waitFor({ state: "detached" });
  letGo();
  await bob.createRoom("other");
  await bob.page.reload();
  await bob.place("#other").waitFor();
  assert.equal(await bob.place("#hasty").count(), 0);
});

test("A message is shown as sent, then as stored, before anybody else has seen it.", async () => {
  const ann = await comes(1, "ann alone");
  await ann.createRoom("alone");
  await ann.say("one");
  await ann.row("one").getByRole("img", { name: "Stored" }).waitFor();
  await ann.page.reload();
  await ann.row("one").getByRole("img", { name: "Stored" }).waitFor();
});

test("A direct chat: who is online, what is unread, in the title too, and what was seen.", async () => {
  const [ann, bob] = await Promise.all([comes(1, "ann direct"), comes(2, "bob direct")]);
  await ann.place("@bob direct").click();
  await ann.page.getByText("Online", { exact: true }).last().waitFor();
  await ann.say("Do you have a minute?");
  await ann.say("It is about the garden.");
  await bob.place("@ann direct").getByText("2 unread messages").waitFor({ state: "attached" });
  await bob.page.waitForFunction(() => document.title.startsWith("(2) "));
  await ann.row("It is about the garden.").getByRole("img", { name: "Stored" }).waitFor();
  await bob.place("@ann direct").click();
  await bob.page.getByText("New", { exact: true }).waitFor();
  await ann.row("It is about the garden.").getByRole("img", { name: "Seen" }).waitFor();
  await bob.page.waitForFunction(() => !document.title.startsWith("("));
  await bob.say("For you, always ❤️");
  await ann.row("For you, always ❤️").waitFor();
  await bob.goesAway();
  await ann.page.getByText("Offline", { exact: true }).waitFor();
});

test("A locked room opens to its password only, and then again without it.", async () => {
  const [ann, bob] = await Promise.all([comes(1, "ann lock"), comes(2, "bob lock")]);
  await ann.createRoom("vault", "sesame");
  await ann.page.getByText("Locked room").waitFor();
  await ann.say("Nobody hears this.");
  await bob.goes("vault");
  await bob.page.getByRole("heading", { name: "vault is locked" }).waitFor();
  await bob.page.getByLabel("Password").fill("open");
  await bob.page.keyboard.press("Enter");
  await bob.page.getByText("The password is wrong").waitFor();
  await bob.page.getByLabel("Password").fill("sesame");
  await bob.page.keyboard.press("Enter");
  await bob.row("Nobody hears this.").waitFor();
  await bob.page.reload();
  await bob.row("Nobody hears this.").waitFor();
  await bob.say("I do.");
  await ann.row("I do.").waitFor();
});

test("Whoever leaves a room receives nothing of it any more, and can join again.", async () => {
  const [ann, bob] = await two("porch");
  await bob.page.getByRole("button", { name: "Leave room" }).click();
  await bob.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await bob.place("#porch").waitFor({ state: "detached" });
  await ann.say("Gone?");
  await bob.goes("porch");
  await bob.row("Gone?").waitFor();
});

test("Deleted messages disappear for both, one by one and all at once.", async () => {
  const [ann, bob] = await two("attic");
  for (const text of ["keep", "a slip", "keep too"]) await ann.say(text);
  await bob.row("keep too").waitFor();
  // A row is made anew when its ticks change, and a click in that moment may be lost.
  await ann.row("a slip").getByRole("img", { name: "Seen by bob attic" }).waitFor();
  await ann.row("a slip").hover();
  await ann.row("a slip").getByRole("button", { name: "Delete message" }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  for (const one of [ann, bob]) {
    await one.row("a slip").waitFor({ state: "detached" });
    assert.deepEqual(await one.texts(), ["keep", "keep too"]);
  }
  assert.equal(await bob.page.getByRole("button", { name: "Delete message" }).count(), 0);
  await bob.page.getByRole("button", { name: "Delete all messages" }).click();
  await bob.page.getByRole("dialog").getByRole("button", { name: "Delete all" }).click();
  for (const one of [ann, bob]) await one.rows.first().waitFor({ state: "detached" });
});

test("HTML and script in names and messages are text, and links are links.", async () => {
  const evil = "<img src=x onerror=alert(1)>";
  const [ann, bob] = await Promise.all([comes(1, evil), comes(2, "bob text")]);
  const room = "<script>alert(2)</script>";
  await ann.createRoom(room);
  await bob.page.keyboard.press("Control+k");
  await bob.page.getByLabel("Rooms and people").fill(room);
  await bob.page.locator("dialog .choices button").filter({ hasText: "Join" }).waitFor();
  await bob.page.keyboard.press("Enter");
  const texts = [
    "<b>bold</b> & <a href='javascript:alert(3)'>click</a>",
    "javascript:alert(4) data:text/html,<script>alert(5)</script>",
    "see https://example.org/a?b=<c>&d=(e). And http://[broken",
  ];
  for (const text of texts) await ann.say(text);
  for (const one of [ann, bob]) {
    // What was said while Bob joined comes with the room's history, which may be after what follows.
    for (const text of texts) await one.row(text).waitFor();
    assert.deepEqual(await one.texts(), texts);
    assert.equal(await one.page.locator("message-list :is(img, script, b), side-bar :is(img, script)").count(), 0);
    const links = await one.page.locator("message-list a").evaluateAll((all) => all.map(({ href, rel }) => [href, rel]));
    assert.deepEqual(links, [["https://example.org/a?b=", "noopener noreferrer nofollow ugc"]]);
  }
  await bob.row(texts[0]).getByText(evil, { exact: true }).waitFor();
});

test("Drafts stay with their conversation, and are there after a reload.", async () => {
  const [ann] = await two("desk");
  await ann.createRoom("shelf");
  await ann.writing.fill("half a thought");
  await ann.place("#desk").click();
  await ann.page.getByRole("textbox", { name: "Message #desk" }).waitFor();
  assert.equal(await ann.writing.inputValue(), "");
  await ann.place("#shelf").getByText("Draft: half a thought").waitFor();
  await ann.page.reload();
  await ann.place("#shelf").click();
  await ann.page.getByRole("textbox", { name: "Message #shelf" }).waitFor();
  assert.equal(await ann.writing.inputValue(), "half a thought");
});

test("Emoji come from the picker, and a paste of many lines is one message.", async () => {
  const [ann, bob] = await two("kitchen", { context: { permissions: ["clipboard-read", "clipboard-write"] } });
  await ann.page.getByRole("button", { name: "Emoji" }).click();
  await ann.page.getByRole("group", { name: "Emoji" }).getByRole("button", { name: "rocket" }).click();
  await ann.page.keyboard.press("Escape");
  await ann.page.keyboard.press("Enter");
  await bob.row("🚀").waitFor();
  const lines = Array.from({ length: 60 }, (_, n) => `line ${n}`).join("\n");
  await ann.page.evaluate((text) => navigator.clipboard.writeText(text), lines);
  await ann.writing.focus();
  await ann.page.keyboard.press("Control+v");
  await ann.page.keyboard.press("Enter");
  await bob.row("line 59").waitFor();
  assert.deepEqual(await bob.texts(), ["🚀", lines]);
});

test("A message that is too long is not sent, and says so.", async () => {
  const [ann] = await two("well");
  await ann.writing.fill("🚀".repeat(4001));
  await ann.page.getByText("4,001 of 4,000 characters: too long to send").waitFor();
  assert.ok(await ann.page.getByRole("button", { name: "Send" }).isDisabled());
  await ann.writing.fill("🚀".repeat(4000));
  await ann.writing.press("Enter");
  await ann.row("🚀").getByRole("img", { name: /Stored|Seen/ }).waitFor();
});

test("The browser notifies of what one does not see, and of nothing else.", async () => {
  const before = ({ page }) => page.addInitScript(() => {
    // The browser's own notifications cannot be seen from here, so they are taken down instead.
    globalThis.notified = [];
    globalThis.Notification = class {
      static permission = "granted";
      constructor(title, { body }) {
        globalThis.notified.push(`${title}: ${body}`);
      }
      close() {}
    };
  });
  const [ann, bob] = await two("bell", { before });
  await ann.say("before");
  await bob.row("before").waitFor();
  await bob.page.getByRole("button", { name: "Notifications" }).click();
  await bob.place("#general").click();
  await bob.page.getByRole("heading", { level: 2, name: "general" }).waitFor();
  await ann.say("do you see me?");
  await bob.page.waitForFunction(() => globalThis.notified.length === 1);
  await bob.place("#bell").click();
  await bob.row("do you see me?").waitFor();
  await ann.say("now you do");
  await bob.row("now you do").waitFor();
  assert.deepEqual(await bob.page.evaluate(() => globalThis.notified), ["ann bell in bell: do you see me?"]);
});

test("The owner of a room manages it: deletes, kicks, bans, names a moderator, and everyone sees what was done.", async () => {
  const [ann, bob] = await two("club");
  const manage = ({ page }) => page.getByRole("button", { name: "Manage room" });
  const does = async (act) => {
    await manage(ann).click();
    await ann.page.getByLabel("User").fill(bob.name);
    await ann.page.getByRole("button", { name: act, exact: true }).click();
    await ann.page.getByRole("dialog").waitFor({ state: "detached" });
  };
  assert.equal(await manage(bob).count(), 0);
  await bob.say("something rude");
  await ann.row("something rude").hover();
  await ann.row("something rude").getByRole("button", { name: "Delete message" }).click();
  await ann.page.getByRole("button", { name: "Delete", exact: true }).click();
  await bob.row("something rude").waitFor({ state: "detached" });
  await manage(ann).click();
  await isAccessible(ann);
  await ann.page.keyboard.press("Escape");
  await does("Kick");
  await bob.page.getByRole("heading", { name: "You are not in club any more" }).waitFor();
  await ann.row("You removed bob club from the room.").waitFor();
  await bob.page.getByRole("button", { name: "Join", exact: true }).click();
  await bob.writing.waitFor();
  await does("Make moderator");
  await bob.row("ann club made you a moderator.").waitFor();
  await manage(bob).waitFor();
  await does("Ban");
  await bob.page.getByRole("heading", { name: "You are banned from club" }).waitFor();
  await manage(ann).click();
  await ann.page.getByRole("button", { name: `Undo ban: ${bob.name}` }).click();
  await ann.page.keyboard.press("Escape");
  await bob.say("thank you");
  await ann.row("thank you").waitFor();
  assert.deepEqual((await ann.texts()).at(-2), "You undid the ban on bob club.");
});
