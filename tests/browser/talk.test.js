/** The conversations of the page, between two people on two gateways. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Cluster } from "../javascript/support/cluster.js";
import { Person, launch } from "./support/browser.js";

let cluster, browser, here;

before(async () => {
  [cluster, browser] = await Promise.all([Cluster.start(), launch()]);
});

after(async () => {
  await browser?.close();
  await cluster?.stop();
});

afterEach(async () => {
  for (const person of here ?? []) {
    assert.deepEqual(person.problems, [], `${person.name}'s browser complained`);
    await person.goesAway();
  }
  here = [];
});

/** Two people, each on a gateway of their own, in a room. */
async function two(room, options) {
  const [ann, bob] = await Promise.all([
    Person.comes(browser, cluster.gateway(1), `ann-${room}`, options),
    Person.comes(browser, cluster.gateway(2), `bob-${room}`, options),
  ]);
  here = [ann, bob];
  await ann.createRoom(room);
  await bob.goes(room);
  return [ann, bob];
}

test("Two people on two gateways talk in a room, and see what was seen and who types.", async () => {
  const [ann, bob] = await two("garden");
  await ann.sign.getByText("Connected to gateway-1").waitFor();
  await bob.sign.getByText("Connected to gateway-2").waitFor();
  await ann.say("Is anybody here?");
  await bob.row("Is anybody here?").getByText("ann-garden").first().waitFor();
  await ann.row("Is anybody here?").getByRole("img", { name: "Seen by bob-garden" }).waitFor();
  await bob.writing.pressSequentially("I");
  await ann.page.getByText("bob-garden is typing").waitFor();
  await bob.say("I am.\nOn two lines.");
  await ann.row("On two lines.").waitFor();
  assert.deepEqual(await ann.texts(), ["Is anybody here?", "I am.\nOn two lines."]);
  assert.deepEqual(await bob.texts(), await ann.texts());
});
