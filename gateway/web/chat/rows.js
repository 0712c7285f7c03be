/** The rows of a conversation: who, when, what, and what became of it. */

import { avatar, h, icon, iconButton } from "./dom.js";
import { dayKey, dayLabel, isEmoji, linked, momentOf, timeOf } from "./text.js";

/** Milliseconds within which messages of one sender stand together. */
const TOGETHER = 5 * 60_000;

const STATES = {
  waiting: ["clock", "Waiting to be sent"],
  sent: ["check", "Sent"],
  stored: ["checks", "Stored"],
  seen: ["checks", "Seen"],
  failed: ["warn", "Not sent"],
};

/** What tells a row from all others, also while a message is on its way. */
export const keyOf = (item) => item.clientMsgId ?? String(item.id);

/** What a row shows beside its text; two rows alike need no work. */
export function looks(conversation, n, items) {
  const item = items[n], before = items[n - 1];
  const mine = !item.event && conversation.isMine(item);
  const mayDelete = !item.event && (mine || conversation.role !== null);
  const day = !before || dayKey(before.createdAt) !== dayKey(item.createdAt);
  const isNew = conversation.unreadFrom !== null && item.seq === conversation.unreadFrom;
  const follows = Boolean(before) && !before.event && !day && !isNew && conversation.isMine(before) === mine &&
    (mine || before.sender === item.sender) &&
    Date.parse(item.createdAt) - Date.parse(before.createdAt) < TOGETHER;
  const state = mine ? conversation.stateOf(item) : null;
  return { key: keyOf(item), item, mine, mayDelete, day, isNew, follows, state, isRoom: conversation.isRoom,
    // Not a value of its own: what changes in the row besides it makes it another row.
    signature: [item.id, item.seq, day, isNew, follows, state, mayDelete, item.error?.message].join("|") };
}

/** A row. `actions`: {remove(item), resend(item), discard(item), seenBy(item)}. */
export function row(look, actions) {
  const { item, mine, day, isNew, follows, state, isRoom } = look;
  if (item.event) return eventRow(look);
  const named = !mine && isRoom && !follows;
  return h(
    `li.row${mine ? ".mine" : ""}${follows ? ".follows" : ""}${state === "failed" ? ".refused" : ""}`,
    { tabindex: "-1", "data-key": look.key, "data-state": state ?? undefined },
    day && h("div.day", {}, h("span", {}, dayLabel(item.createdAt))),
    isNew && h("div.new", {}, h("span", {}, "New")),
    h("div.line", {},
      !mine && isRoom && (follows ? h("span.avatar-space") : avatar(item.sender)),
      h("div.bubble", {},
        // Who and when, for those who do not see it, even where it is not repeated for the eye.
        named ? h("span.sender", {}, item.sender)
          : h("span.hidden", {}, mine ? "You: " : `${item.sender}: `),
        h(`span.content${isEmoji(item.content) ? ".emoji" : ""}`, { dir: "auto" }, ...linked(item.content)),
        h("span.meta", {},
          h("time", { datetime: item.createdAt, title: momentOf(item.createdAt) }, timeOf(item.createdAt)),
          state && tick(state, item, actions))),
      menu(look, actions)),
    state === "failed" && refusal(item, actions));
}

/** A line between messages: what somebody did in the room. */
function eventRow({ item, day, key }) {
  return h("li.row.event", { tabindex: "-1", "data-key": key },
    day && h("div.day", {}, h("span", {}, dayLabel(item.createdAt))),
    h("p.content", {}, item.content));
}

function tick(state, item, actions) {
  const [name, label] = STATES[state];
  const who = state === "seen" ? actions.seenBy(item) : "";
  const said = who ? `Seen by ${who}` : label;
  return h(`span.tick.${state}`, { role: "img", "aria-label": said, title: said }, icon(name));
}

function menu({ item, mayDelete, state }, actions) {
  if (!mayDelete || state === "failed" || state === "waiting" || item.id === null) return null;
  return h("span.actions", {},
    iconButton("trash", "Delete message", () => actions.remove(item), { tabindex: "-1" }));
}

function refusal(item, actions) {
  return h("div.refusal", {},
    h("span", {}, `Not sent: ${item.error?.message ?? "the server refused it"}.`),
    h("button.link", { type: "button", onclick: () => actions.resend(item) }, "Try again"),
    h("button.link", { type: "button", onclick: () => actions.discard(item) }, "Discard"));
}
