/** What the page shows of bans: to the user who is banned, and to the owner and moderators; and notes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Listener } from "../javascript/support/listening.js";
import { isAccessible } from "./support/browser.js";
import { Stage } from "./support/stage.js";

const stage = new Stage();
const { comes } = stage;

/** The owner of a new room, by the client alone. */
async function owner(room, password) {
  const { client } = await Listener.connected(stage.cluster.gateway(1), `owner of ${room}`);
  await client.createRoom(room, { password });
  await client.join(room, { password });
  return client;
}

/** The person is told that they are banned, and nothing invites them to try. */
async function isTold(person, room) {
  const { page } = person;
  await page.getByRole("heading", { name: `You are banned from ${room}` }).waitFor();
  await page.getByText("Only the owner of the room can lift the ban.").waitFor();
  await person.place(`#${room}`).getByText("You are banned").waitFor(); // the list is drawn a moment later
  assert.equal(await page.getByLabel("Password").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Join", exact: true }).count(), 0);
  assert.equal(await page.getByText("Locked room").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Leave room" }).count(), 0);
  await isAccessible(person);
}

test("Who is banned from an open room reads so, on coming and after a reload, and is in it when the ban ends.", async () => {
  const ann = await owner("square");
  await ann.ban("square", "bob square");
  const bob = await comes(2, "bob square", { at: "/#/room/square" });
  await isTold(bob, "square");
  await bob.page.reload();
  await isTold(bob, "square");
  await bob.page.getByRole("button", { name: "Create or join a room" }).click();
  await bob.page.locator("dialog [data-choice='#square']").getByText("Banned").waitFor();
  await bob.page.keyboard.press("Escape");
  await ann.unban("square", "bob square");
  await bob.page.getByText("This is the beginning of square.").waitFor();
  await bob.say("thank you");
  await bob.row("thank you").getByRole("img", { name: "Stored" }).waitFor();
  assert.equal((await ann.history("#square")).items.at(-1).content, "thank you");
});

test("Who is banned while in the room reads so at once; who is kicked may join again, without a password.", async () => {
  const ann = await owner("hall");
  const bob = await comes(2, "bob hall", { at: "/#/room/hall" });
  await bob.writing.waitFor();
  await ann.kick("hall", "bob hall");
  await bob.page.getByRole("heading", { name: "You are not in hall any more" }).waitFor();
  assert.equal(await bob.page.getByLabel("Password").count(), 0);
  assert.equal(await bob.page.getByText("Locked room").count(), 0);
  await bob.page.getByRole("button", { name: "Join", exact: true }).click();
  await bob.writing.waitFor();
  await ann.ban("hall", "bob hall");
  await isTold(bob, "hall");
  await bob.page.reload();
  await isTold(bob, "hall");
  await bob.page.getByRole("button", { name: "Remove from the list" }).click();
  await bob.place("#hall").waitFor({ state: "detached" });
});

test("Of a locked room, who is banned learns no more than that the password does not open it.", async () => {
  const ann = await owner("cellar", "key");
  await ann.ban("cellar", "bob cellar");
  const bob = await comes(2, "bob cellar", { at: "/#/room/cellar" });
  await bob.page.getByRole("heading", { name: "cellar is locked" }).waitFor();
  await bob.page.getByLabel("Password").fill("key");
  await bob.page.getByRole("button", { name: "Join", exact: true }).click();
  await bob.page.getByText("The password is wrong, or the room does not exist.").waitFor();
  assert.equal(await bob.page.getByText("banned").count(), 0);
});

test("A name that nobody has is said to be; owners see who is banned and undo it, moderators see it.", async () => {
  const ann = await comes(1, "ann rules");
  await ann.createRoom("rules");
  const mia = await comes(2, "mia rules", { at: "/#/room/rules" });
  await mia.writing.waitFor();
  const manage = ({ page }) => page.getByRole("button", { name: "Manage room" }).click();
  const does = async (act, user) => {
    await ann.page.getByLabel("User").fill(user);
    await ann.page.getByRole("button", { name: act, exact: true }).click();
  };
  await manage(ann);
  await ann.page.getByText("Nobody.").first().waitFor();
  await does("Ban", "nobdy");
  await ann.page.getByText("Nobody named “nobdy” was ever seen here. The ban holds if they come.").waitFor();
  const banned = ({ page }) => page.getByRole("list", { name: "Banned" }).getByRole("listitem");
  await banned(ann).getByText("nobdy").waitFor();
  await isAccessible(ann);
  await does("Make moderator", "mia rules"); // who is known: the dialog closes
  await ann.page.getByRole("dialog").waitFor({ state: "detached" });
  await manage(mia);
  await banned(mia).getByText("nobdy").waitFor();
  await mia.page.getByText("Only the owner of the room can undo a ban.").waitFor();
  assert.equal(await mia.page.getByRole("button", { name: /Undo ban/ }).count(), 0);
  await isAccessible(mia);
  await manage(ann);
  await ann.page.getByRole("list", { name: "Moderators" }).getByText("mia rules").waitFor();
  await ann.page.getByRole("button", { name: "Undo ban: nobdy" }).click();
  await banned(ann).getByText("Nobody.").waitFor();
  await ann.page.getByRole("button", { name: "Remove as moderator: mia rules" }).click();
  await mia.row("ann rules removed you as moderator.").waitFor();
});

/** Open the dialog of a room's owner or moderator; its list of what was done. */
async function managed({ page }) {
  await page.getByRole("button", { name: "Manage room" }).click();
  return page.getByRole("list", { name: "What was done" }).getByRole("listitem");
}

test("Owner and moderators read what was done by whom to whom and when, the newest first; nobody else does.", async () => {
  const odd = "<b>eve</b>", bob = await comes(1, "bob deeds");
  const ann = await owner("deeds");
  await bob.goes("deeds");
  const mia = await comes(2, "mia deeds", { at: "/#/room/deeds" });
  await bob.say("rude");
  await mia.row("rude").waitFor();
  assert.equal(await bob.page.getByRole("button", { name: "Manage room" }).count(), 0);
  await ann.setModerator("deeds", "mia deeds");
  await mia.row("owner of deeds made you a moderator.").waitFor();
  const { items } = await ann.history("#deeds");
  await ann.deleteMessage(items.find(({ content }) => content === "rude").id);
  await ann.ban("deeds", odd);
  const done = await managed(mia);
  await done.first().waitFor();
  const told = await done.locator(".title").allTextContents();
  const all = [
    `owner of deeds banned ${odd} from the room.`, "owner of deeds deleted a message that bob deeds wrote.",
    "owner of deeds made you a moderator.", "owner of deeds created the room.",
  ];
  assert.deepEqual(told, all);
  for (const time of await done.locator("time").all()) assert.match(await time.textContent(), /^Today, \d\d?:\d\d$/);
  await mia.page.getByLabel("User").fill("nobdy");
  await mia.page.getByRole("button", { name: "Ban", exact: true }).click();
  await done.first().getByText("You banned nobdy from the room.").waitFor();
  assert.deepEqual(await done.locator(".title").allTextContents(), ["You banned nobdy from the room.", ...all]);
  assert.equal(await mia.page.getByRole("button", { name: "Show more" }).count(), 0);
  await isAccessible(mia);
});

test("A long list of what was done goes on by keyboard, to the room's creation, with each act once.", async () => {
  const ann = await comes(1, "ann acts");
  await ann.createRoom("acts");
  const { client } = await Listener.connected(stage.cluster.gateway(2), "ann acts");
  await client.join("acts");
  const acts = [];
  for (let n = 0; n < 26; n++) {
    await client.ban("acts", `user ${n}`);
    await client.unban("acts", `user ${n}`);
    acts.unshift(`You undid the ban on user ${n}.`, `You banned user ${n} from the room.`);
  }
  const done = await managed(ann);
  await done.nth(49).waitFor();
  assert.deepEqual(await done.locator(".title").allTextContents(), acts.slice(0, 50));
  await isAccessible(ann);
  const more = ann.page.getByRole("button", { name: "Show more" });
  await more.focus();
  await ann.page.keyboard.press("Enter");
  await done.nth(52).waitFor();
  assert.deepEqual(await done.locator(".title").allTextContents(), [...acts, "You created the room."]);
  assert.equal(await more.count(), 0);
  assert.equal(await ann.page.evaluate(() => document.activeElement.querySelector(".title").textContent), acts[50]);
  await isAccessible(ann);
});

test("Where some of what was done may be missing the list says so, until it has been read whole.", async () => {
  const asked = [];
  const before = ({ page }) => page.routeWebSocket(/\/ws/, (route) => {
    const server = route.connectToServer();
    route.onMessage((text) => {
      const { event, id } = JSON.parse(text);
      if (event === "getModerationLog") asked.push(id);
      server.send(text);
    });
    // The answer of a server whose database is away, for one question only.
    server.onMessage((text) => {
      const frame = JSON.parse(text);
      const isFirst = frame.event === "reply" && frame.id === asked[0];
      route.send(isFirst ? JSON.stringify({ ...frame, data: { ...frame.data, partial: true } }) : text);
    });
  });
  const ann = await comes(1, "ann gaps", { before });
  await ann.createRoom("gaps");
  const done = await managed(ann);
  await done.getByText("You created the room.").waitFor();
  const missing = ann.page.getByRole("status").filter({ hasText: "Some may be missing: a part of the server is not available." });
  await missing.waitFor();
  await isAccessible(ann);
  await ann.page.getByLabel("User").fill("nobdy");
  await ann.page.getByRole("button", { name: "Ban", exact: true }).click();
  await done.getByText("You banned nobdy from the room.").waitFor();
  await missing.waitFor({ state: "detached" });
});

test("Notes are a chat with oneself: named so, once in the list, never unread, and on every device.", async () => {
  const [here, there] = [await comes(1, "ann notes"), await comes(2, "ann notes")];
  await there.page.getByRole("heading", { name: "Direct chats" }).waitFor();
  await here.page.getByRole("button", { name: "New direct chat" }).click();
  await here.page.locator("dialog").getByText("Notes to yourself").click();
  await here.page.getByText("This is the beginning of your notes.").waitFor();
  await here.page.getByRole("textbox", { name: "Write a note" }).fill("buy milk");
  await here.page.keyboard.press("Enter");
  await here.row("buy milk").getByRole("img", { name: "Stored" }).waitFor();
  await there.place("@ann notes").getByText("buy milk").waitFor();
  await there.place("@ann notes").getByText("Notes to yourself").waitFor();
  assert.equal(await there.place("@ann notes").locator(".badge").count(), 0);
  await there.place("@ann notes").click();
  await there.row("buy milk").waitFor();
  await here.page.reload();
  await here.row("buy milk").waitFor();
  for (const one of [here, there]) {
    assert.deepEqual(await one.texts(), ["buy milk"]);
    assert.equal(await one.place("@ann notes").count(), 1);
    await isAccessible(one);
  }
});
