/** The rows of a conversation: sender, text, time and state of each message. */

import { avatar, h, icon, iconButton } from "./dom.js";
import { dayKey, dayLabel, isEmoji, linked, momentOf, timeOf } from "./text.js";

/** Messages of one sender within this many milliseconds are shown as a group. */
const GROUP_MS = 5 * 60_000;

const STATES = {
  waiting: ["clock", "Waiting to be sent"],
  sent: ["check", "Sent"],
  stored: ["checks", "Stored"],
  seen: ["checks", "Seen"],
  failed: ["warn", "Not sent"],
};

/** Codes of errors after which the same text would fail again. */
const FAULTS_OF_TEXT = new Set(["bad_request", "bad_frame", "too_long"]);

/** The key of a row. It stays the same when a message that was sent gets its id. */
export const keyOf = (item) => item.clientMsgId ?? String(item.id);

/** The description of a row. A row whose signature has not changed is not made again. */
export function describeRow(conversation, n, items) {
  const item = items[n], before = items[n - 1];
  const mine = !item.event && conversation.isMine(item);
  const mayDelete = !item.event && (mine || conversation.role !== null);
  const day = !before || dayKey(before.createdAt) !== dayKey(item.createdAt);
  const isNew = conversation.unreadFrom !== null && item.seq === conversation.unreadFrom;
  const follows = Boolean(before) && !before.event && !day && !isNew && conversation.isMine(before) === mine &&
    (mine || before.sender === item.sender) &&
    Date.parse(item.createdAt) - Date.parse(before.createdAt) < GROUP_MS;
  const state = mine ? conversation.stateOf(item) : null;
  return { key: keyOf(item), item, mine, mayDelete, day, isNew, follows, state, isRoom: conversation.isRoom,
    // Everything that a row shows and that can change. Texts and times of messages never do.
    signature: [item.id, item.seq, day, isNew, follows, state, mayDelete, item.error?.message].join("|") };
}

/** Make a row. `actions`: {remove(item), resend(item), edit(item), discard(item), seenBy(item)}. */
export function row(description, actions) {
  const { item, mine, day, isNew, follows, state, isRoom } = description;
  if (item.event) return eventRow(description);
  const named = !mine && isRoom && !follows;
  return h(
    `li.row${mine ? ".mine" : ""}${follows ? ".follows" : ""}${state === "failed" ? ".refused" : ""}`,
    { tabindex: "-1", "data-key": description.key, "data-state": state ?? undefined },
    day && h("div.day", {}, h("span", {}, dayLabel(item.createdAt))),
    isNew && h("div.new", {}, h("span", {}, "New")),
    h("div.line", {},
      !mine && isRoom && (follows ? h("span.avatar-space") : avatar(item.sender)),
      h("div.bubble", {},
        // Screen readers get the sender of each message, also where the page does not repeat it.
        named ? h("span.sender", {}, item.sender)
          : h("span.hidden", {}, mine ? "You: " : `${item.sender}: `),
        h(`span.content${isEmoji(item.content) ? ".emoji" : ""}`, { dir: "auto" }, ...linked(item.content)),
        h("span.meta", {},
          h("time", { datetime: item.createdAt, title: momentOf(item.createdAt) }, timeOf(item.createdAt)),
          state && tick(state, item, actions))),
      menu(description, actions)),
    state === "failed" && refusal(item, actions));
}

/** Make a line between messages, for a change of the room. */
function eventRow({ item, day, key }) {
  return h("li.row.event", { tabindex: "-1", "data-key": key },
    day && h("div.day", {}, h("span", {}, dayLabel(item.createdAt))),
    h("p.content", {}, item.content));
}

function tick(state, item, actions) {
  const [name, label] = STATES[state];
  const readers = state === "seen" ? actions.seenBy(item) : "";
  const text = readers ? `Seen by ${readers}` : label;
  return h(`span.tick.${state}`, { role: "img", "aria-label": text, title: text }, icon(name));
}

function menu({ item, mayDelete, state }, actions) {
  if (!mayDelete || state === "failed" || state === "waiting" || item.id === null) return null;
  return h("span.actions", {},
    iconButton("trash", "Delete message", () => actions.remove(item), { tabindex: "-1" }));
}

function refusal(item, actions) {
  const mayTryAgain = !FAULTS_OF_TEXT.has(item.error?.code);
  return h("div.refusal", {},
    h("span", { role: "alert" }, `Not sent: ${item.error?.message ?? "the server refused it"}.`),
    mayTryAgain && h("button.link", { type: "button", onclick: () => actions.resend(item) }, "Try again"),
    h("button.link", { type: "button", onclick: () => actions.edit(item) }, "Edit"),
    h("button.link", { type: "button", onclick: () => actions.discard(item) }, "Discard"));
}
