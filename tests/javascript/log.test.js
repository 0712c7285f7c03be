/** Where events stand in the log of a room or chat, whatever kind they are. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { entryOf } from "../../clients/javascript/src/places/entries.js";
import { Place } from "../../clients/javascript/src/places/place.js";
import { EVENT_TYPES } from "../../clients/javascript/src/support/emitter.js";
import { ROOT } from "./support/cluster.js";

const KINDS = ["message", "messageDeleted", "skipped", "of next year", "notification", "constructor"];
const AT = { seq: 3, prev: 2 };

test("An event has its place where its room or chat is named, in its data or beside it, of whatever kind it is.", () => {
  for (const event of KINDS) {
    for (const frame of [{ data: AT, room: "r" }, { data: { ...AT, room: "r" } }, { data: { ...AT, room: "r" }, room: "r" }]) {
      const { seq, prev, room, chatId } = entryOf({ event, ...frame });
      assert.deepEqual({ seq, prev, room, chatId }, { ...AT, room: "r", chatId: undefined });
    }
    for (const frame of [{ data: AT, chatId: 1 }, { data: { ...AT, chatId: 1 } }]) {
      const { seq, prev, room, chatId } = entryOf({ event, ...frame });
      assert.deepEqual({ seq, prev, room, chatId }, { ...AT, room: undefined, chatId: 1 });
    }
  }
});

test("What lacks its seq, its prev or its room has no place.", () => {
  const nothing = [
    { user: "ann", seq: 3 }, { prev: 2 }, { seq: "3", prev: "2" }, { seq: 3.5, prev: 2 }, { seq: true, prev: false },
    { seq: 3, prev: 3 }, { seq: 3, prev: -1 }, "ann is typing...", [{ ...AT }], null, undefined,
  ];
  for (const event of ["seen", "typing", "messageHistory", "message", "of next year"]) {
    for (const data of nothing) assert.equal(entryOf({ event, data, room: "r" }), null);
    for (const where of [{}, { room: 3 }, { chatId: "1" }]) assert.equal(entryOf({ event, data: { ...AT, ...where } }), null);
  }
});

test("An event that is not known takes its place in the log, and shows a hole, as one that is known.", () => {
  for (const event of KINDS) {
    const place = new Place("#r");
    const take = (seq, prev = seq - 1) => place.take(entryOf({ event, data: { room: "r", seq, prev } }));
    place.last = 1;
    assert.deepEqual([take(2), take(2), take(3), take(5), take(4)], ["show", "old", "show", "wait", "show"]);
    assert.deepEqual(place.release().map(({ seq }) => seq), [5]);
    assert.equal(place.last, 5);
  }
});

test("The types of events that the client knows to be its own are those that it declares.", async () => {
  const text = await readFile(join(ROOT, "clients/javascript/src/events.d.ts"), "utf8");
  const [, body] = /export interface ParleyEvents \{\n(.*?)\n\}/s.exec(text);
  const declared = [...body.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
  assert.deepEqual([...EVENT_TYPES].sort(), declared.sort());
});
