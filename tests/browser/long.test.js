/** A room with 10,000 messages. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Listener } from "../javascript/support/listening.js";
import { Stage } from "./support/stage.js";

const MESSAGES = 10_000;
const MAX_ROWS = 200;

const stage = new Stage();
const { comes } = stage;

/** Say many things at once; they are of one line, or of several. */
async function fill(room) {
  const { client } = await Listener.connected(stage.cluster.gateway(1), "scribe");
  await client.createRoom(room);
  await client.join(room);
  for (let n = 1; n <= MESSAGES; n += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, m) => client.request("message", {
      room, content: `number ${n + m}${" and so on".repeat((n + m) % 40)}`, clientMsgId: `m${n + m}`,
    }, { repeat: true })));
  }
  client.close();
}

/** Scroll to the beginning, and see that nothing moves but by the scrolling. Runs in the page. */
async function scrollToBeginning() {
  const scroller = document.querySelector(".scroller");
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const firstInSight = () => [...document.querySelectorAll(".row")].find(({ offsetTop, offsetHeight }) =>
    offsetTop + offsetHeight > scroller.scrollTop);
  const topOf = (key) => document.querySelector(`.row[data-key="${key}"] .content`).getBoundingClientRect().top;
  let steps = 0, rows = 0, slip = 0;
  while (!document.querySelector(".edge").textContent.startsWith("This is the beginning") || scroller.scrollTop > 0) {
    const { key } = firstInSight().dataset;
    const wanted = topOf(key) + Math.min(4000, scroller.scrollTop);
    scroller.scrollTop -= 4000;
    await frame();
    slip = Math.max(slip, Math.abs(topOf(key) - wanted));
    rows = Math.max(rows, document.querySelectorAll(".row").length);
    steps++;
  }
  return { steps, rows, slip };
}

test("10,000 messages scroll: few are in the document, and older ones coming in move nothing.", async () => {
  await fill("library");
  const ann = await comes(2, "ann");
  const opened = performance.now();
  await ann.goes("library");
  await ann.row(`number ${MESSAGES}`).waitFor();
  const shown = performance.now();
  const { steps, rows, slip } = await ann.page.evaluate(scrollToBeginning);
  const scrolled = performance.now();
  assert.ok(await ann.row(/^number 1 and so on$/).isVisible());
  assert.ok(rows <= MAX_ROWS, `${rows} rows in the document`);
  assert.ok(slip <= 2, `rows slipped by ${slip} pixels`);
  console.log(`opened in ${(shown - opened).toFixed(0)} ms; ${steps} steps to the first of ${MESSAGES} messages in ` +
    `${((scrolled - shown) / 1000).toFixed(1)} s; at most ${rows} rows; moved by ${slip.toFixed(2)} pixels at most`);

  // While one reads far above, what comes in moves nothing either, and is one click away.
  const bob = await Listener.connected(stage.cluster.gateway(1), "bob");
  await bob.client.join("library");
  const top = () => ann.row(/^number 1 and so on$/).evaluate((row) => row.getBoundingClientRect().top);
  const before = await top();
  for (const text of ["news", "more news"]) await bob.client.send("#library", text);
  await ann.page.getByRole("button", { name: "2 new messages" }).waitFor();
  assert.equal(await top(), before);
  await ann.page.getByRole("button", { name: "2 new messages" }).click();
  await ann.row("more news").waitFor();
  await bob.next("seen", ({ user }) => user === "ann");
});
