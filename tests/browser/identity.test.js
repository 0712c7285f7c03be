/** The page where tokens say who one is: pasted, given by an application's own page, or none at all. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { IN_TIME, ROOT } from "../javascript/support/cluster.js";
import { Listener } from "../javascript/support/listening.js";
import { JWT, tokenFor } from "../javascript/support/tokens.js";
import { Application } from "./support/application.js";
import { Person, isAccessible } from "./support/browser.js";
import { Stage } from "./support/stage.js";

async function prepare(cluster) {
  const { client } = await Listener.connected(cluster.gateway(2), { token: tokenFor("bob") });
  await client.createRoom("general");
  client.close();
}

const stage = new Stage({ settings: JWT, prepare });
let application;

after(() => application?.close());

/** A visitor with a window and storage of their own, who has not signed in. */
async function visitor(url = stage.cluster.gateway(1)) {
  const context = await stage.browser.newContext({ viewport: { width: 1180, height: 760 }, reducedMotion: "reduce" });
  context.setDefaultTimeout(IN_TIME);
  const person = stage.welcome(new Person(await context.newPage(), "visitor"));
  await person.page.goto(url);
  return person;
}

/** Say something that bob hears; returns by whom it was said. */
async function saysTo(one, text) {
  const bob = await Listener.connected(stage.cluster.gateway(2), { token: tokenFor("bob") });
  await bob.client.join("general");
  await one.say(text);
  return (await bob.next("message", ({ content }) => content === text)).sender;
}

async function paste({ page }, token) {
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
}

test("A pasted token says who one is, is kept nowhere, and one is told when it has expired.", async () => {
  const ann = await visitor();
  await isAccessible(ann);
  await paste(ann, "nonsense");
  await ann.page.getByText("Not signed in: the token is not valid.").waitFor();
  await paste(ann, tokenFor("ann", 15));
  assert.equal(await saysTo(ann, "by my token"), "ann");
  const kept = await ann.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  assert.ok(!kept.includes("eyJ"), kept);
  await ann.writing.fill("half a sentence");
  await ann.page.getByText("Not signed in: the token has expired.").waitFor();
  await paste(ann, tokenFor("ann"));
  await ann.row("by my token").waitFor();
  assert.equal(await ann.writing.inputValue(), "half a sentence");
});

test("A guest talks under the name that the server gives them.", async () => {
  const guest = await visitor();
  await guest.page.getByRole("button", { name: "Continue as a guest" }).click();
  const name = await saysTo(guest, "just looking");
  assert.match(name, /^guest-/);
  await guest.page.locator("side-bar footer").getByText(name).waitFor();
  await guest.page.reload();
  await guest.page.getByLabel("Token").waitFor(); // nobody comes back as a guest unasked
});

test("An application's own page gives the token by itself, and says when nobody is signed in.", async () => {
  const guide = await readFile(join(ROOT, "docs/how-to/serve-the-chat-page.md"), "utf8");
  const [, html] = /```html\n(.*?)```/s.exec(guide);
  let token = tokenFor("carla");
  application = await Application.before(stage.cluster.gateway(1), {
    "/talk": () => ({ type: "text/html", body: html }),
    "/chat-token": () => (token ? { body: token } : { status: 401, body: "who?" }),
  });
  const carla = await visitor(`${application.url}/talk`);
  assert.equal(await saysTo(carla, "without pasting"), "carla");
  token = null;
  await carla.page.reload();
  await carla.page.getByText("Not signed in: there is no token.").waitFor();
  await isAccessible(carla);
  token = tokenFor("carla");
  await carla.page.getByRole("button", { name: "Sign in" }).click();
  await carla.row("without pasting").waitFor();
  carla.problems = carla.problems.filter((text) => !text.includes("401")); // the browser tells of each
});
