/** Accessibility: axe-core finds no violation, and the keyboard is enough. Also takes the pictures. */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Listener } from "../javascript/support/listening.js";
import { Person, doUntil, isAccessible } from "./support/browser.js";
import { Stage } from "./support/stage.js";

/** Where pictures go; nowhere unless it is asked for. */
const PICTURES = process.env.SCREENSHOTS;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const DARK = { colorScheme: "dark" };

async function prepare(cluster) {
  const { client } = await Listener.connected(cluster.url, "host");
  await client.createRoom("general"); // where everybody begins
  client.close();
}

const stage = new Stage({ prepare });
const { comes } = stage;

async function picture({ page }, name) {
  if (!PICTURES) return;
  await mkdir(PICTURES, { recursive: true });
  await page.mouse.move(600, 30);
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled", caret: "hide" });
}

const TEAMS = [
  { me: "Ann", names: ["Bob", "Carla", "Dmitri"], room: "garden party", vault: "surprise" },
  { me: "Noor", names: ["Jonas", "Mara", "Priya"], room: "summer party", vault: "committee" },
  { me: "Zoe", names: ["Sam", "Iris", "Leo"], room: "book club", vault: "organisers" },
  { me: "Eve", names: ["Finn", "Greta", "Hugo"], room: "choir", vault: "soloists" },
];

/** A team that has talked a little, one of them at the page, and a picture of it. Each call has another one. */
async function team(options = {}, name = null) {
  const { me, names, room, vault } = TEAMS.shift();
  const [bob, carla, dmitri] = await Promise.all(names.map((name, m) => Listener.connected(stage.cluster.gateway(1 + m % 2), name)));
  await bob.client.createRoom(room);
  for (const one of [bob, carla, dmitri]) {
    await one.client.join(room);
    await one.client.goOnline();
  }
  await carla.client.createRoom(vault, { password: "cake" });
  const ann = await comes(1, me, options);
  await ann.writing.waitFor();
  const phone = options.context?.isMobile;
  if (phone) await ann.page.getByRole("button", { name: "Back to the list" }).click();
  await dmitri.client.send(`@${me}`, "Can you bring the long table?");
  await carla.client.send(`@${me}`, `Don't tell ${names[0]}, but the cake is ordered 🎂`);
  await ann.place(`@${names[1]}`).waitFor();
  await ann.page.getByRole("button", { name: "Create or join a room" }).click();
  await ann.page.locator(`dialog [data-choice="#${vault}"]`).click();
  await ann.page.getByLabel("Password").fill("cake");
  await ann.page.keyboard.press("Enter");
  await ann.writing.waitFor();
  if (phone) await ann.page.getByRole("button", { name: "Back to the list" }).click();
  await ann.page.getByRole("button", { name: "Go to a conversation" }).click();
  await ann.page.locator(`dialog [data-choice="#${room}"]`).click();
  await ann.page.getByText(`This is the beginning of ${room}.`).waitFor();
  const say = async (one, text) => {
    if (one === ann) await ann.say(text);
    else await one.client.send(`#${room}`, text);
    await ann.row(text.split("\n")[0]).waitFor();
  };
  await say(bob, "Morning! Saturday looks dry, so we can be outside after all.");
  await say(ann, "Perfect. Who takes what?");
  await say(carla, `I have the lights and two of the tables.\nThe grill is at ${names[2]}'s, it needs four hands.`);
  await say(dmitri, `Mine and ${names[0]}'s. We fetch it at ten.`);
  await say(dmitri, "Here is the way for everybody who has not been there: https://maps.example.org/garden-lane-7");
  await say(ann, "Then I do the salads 🥗 and the music");
  await say(bob, "🎉🎉");
  const { head } = await bob.client.history(`#${room}`);
  for (const one of [bob, carla]) one.client.seen(`#${room}`, head);
  await ann.row("salads").getByRole("img", { name: /^Seen by/ }).waitFor();
  await doUntil(() => carla.client.typing(`#${room}`), async () => {
    await ann.page.locator(".typing").getByText(`${names[1]} is typing`).waitFor();
    if (name) await picture(ann, name);
  });
  return { ann, carla, room, names };
}

test("Light: axe-core finds nothing, in the conversation and in each dialog.", async () => {
  const { ann, room } = await team({ context: { viewport: { width: 1180, height: 760 } } }, "chat-light");
  await isAccessible(ann);
  for (const button of ["Create or join a room", "New direct chat", "Go to a conversation", "Keyboard", "Leave room"]) {
    await ann.page.getByRole("button", { name: button, exact: true }).click();
    await ann.page.getByRole("dialog").waitFor();
    await isAccessible(ann);
    await ann.page.keyboard.press("Escape");
    await ann.page.getByRole("dialog").waitFor({ state: "detached" });
  }
  await ann.page.getByRole("button", { name: "Emoji" }).click();
  await isAccessible(ann);
  await ann.page.keyboard.press("Escape");
  assert.ok(await ann.page.getByRole("heading", { name: room }).isVisible());
});

test("Dark: axe-core finds nothing, and the contrast holds.", async () => {
  const { ann } = await team({ context: DARK }, "chat-dark");
  await isAccessible(ann);
});

test("On a phone the list and the conversation take turns, and nothing is wider than the screen.", async () => {
  const { ann, carla, room } = await team({ context: PHONE }, "chat-phone");
  await isAccessible(ann);
  await carla.client.send(`#${room}`, "wide".repeat(200));
  await ann.row("wide").waitFor();
  const wide = () => document.documentElement.scrollWidth > innerWidth || document.querySelector(".scroller").scrollWidth > innerWidth;
  assert.equal(await ann.page.evaluate(wide), false);
  await ann.page.getByRole("button", { name: "Back to the list" }).click();
  await ann.page.getByRole("heading", { name: "Rooms" }).waitFor();
  await picture(ann, "list-phone");
  await isAccessible(ann);
  await ann.page.goBack();
  await ann.row("wide").waitFor();
});

test("Signing in and a locked door are accessible, light and dark.", async () => {
  const context = await stage.browser.newContext({ reducedMotion: "reduce" });
  const stranger = stage.welcome(new Person(await context.newPage(), "stranger"));
  await stranger.page.goto(stage.cluster.url);
  await stranger.page.getByLabel("Your name").waitFor();
  await isAccessible(stranger);
  await stranger.page.emulateMedia({ colorScheme: "dark" });
  await isAccessible(stranger);
  const bob = await Listener.connected(stage.cluster.url, "keeper");
  await bob.client.createRoom("shut", { password: "x" });
  const ann = await comes(1, "knocks", { at: "/#/room/shut" });
  await ann.page.getByRole("heading", { name: "shut is locked" }).waitFor();
  await isAccessible(ann);
});

test("The keyboard is enough: sign in, create, talk, delete, switch, leave.", async () => {
  const ann = await comes(1, "keys");
  const { page } = ann;
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
  /** Tab until what has the focus is called so. */
  const tabTo = async (name) => {
    for (let n = 0; n < 40 && (await focused()) !== name; n++) await press("Tab");
    assert.equal(await focused(), name);
  };
  await page.getByRole("textbox", { name: "Message #general" }).waitFor();
  await tabTo("Create or join a room");
  await press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("by keys");
  await press("Enter");
  await page.getByRole("textbox", { name: "Message #by keys" }).waitFor();
  assert.equal(await focused(), "Message #by keys");
  for (const text of ["first", "second", "third"]) {
    await page.keyboard.type(text);
    await press("Enter");
  }
  await ann.row("third").getByRole("img", { name: "Stored" }).waitFor();
  await press("Shift+Tab", "Shift+Tab"); // over the emoji, to the messages
  assert.equal(await focused(), "Messages in by keys");
  await press("ArrowUp", "ArrowUp");
  assert.match(await focused(), /second/);
  await press("Delete");
  await page.getByRole("dialog").waitFor();
  await press("Enter");
  await ann.row("second").waitFor({ state: "detached" });
  await press("Alt+ArrowDown");
  await page.getByRole("heading", { level: 2, name: "general" }).waitFor();
  await press("Control+k");
  await page.keyboard.type("by k");
  await press("Enter");
  await page.getByRole("textbox", { name: "Message #by keys" }).waitFor();
  assert.equal(await focused(), "Message #by keys");
  await tabTo("Leave room");
  await press("Enter");
  await page.getByRole("dialog").waitFor();
  await press("Enter");
  await ann.place("#by keys").waitFor({ state: "detached" });
});

test("What comes in is said to those who listen, once, and history is not.", async () => {
  const { ann, carla, room, names } = await team();
  await carla.client.send(`#${room}`, "Listen to this");
  await ann.row("Listen to this").waitFor();
  const said = await ann.page.locator("[role=log] p").allTextContents();
  assert.equal(said.filter((text) => text === `${names[1]}: Listen to this`).length, 1);
  await ann.page.reload();
  await ann.row("Listen to this").waitFor();
  assert.deepEqual(await ann.page.locator("[role=log] p").allTextContents(), []);
});
