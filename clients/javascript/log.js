/**
 * Which events have a place in the log of a room or a chat, and what is told of the kinds that are
 * known. Where an event stands is decided by its frame, not by its kind: those of a newer server
 * have their places, too.
 */

import { said } from "./support.js";

/** Something about who may what in a room. */
const rule = (type, more) => ({
  type, ...more,
  told: ({ prev, room, user, by, ...rest }) => ({ ...rest, by: String(by), ...(user !== undefined && { user: String(user) }) }),
});

/**
 * The known kinds by their names on the wire: the `type` that applications hear of, and what they
 * are `told`. `pair`: it names the users of its chat. `putsOut`: its user is in the room no more.
 */
const KINDS = new Map(Object.entries({
  message: { type: "message", told: said },
  newMessage: { type: "message", told: said, pair: true },
  deleteMessages: { type: "cleared", told: ({ seq }) => ({ seq }) },
  messageDeleted: { type: "deleted", told: ({ messageId, seq }) => ({ id: messageId, seq }) },
  kicked: rule("kicked", { putsOut: true }),
  banned: rule("banned", { putsOut: true }),
  unbanned: rule("unbanned"),
  moderatorChanged: rule("moderatorChanged"),
  passwordChanged: rule("passwordChanged"),
}));

const isWhole = (value) => Number.isSafeInteger(value) && value >= 0;

/** The room or the chat that a frame names, in its data or beside it. */
export const placeOf = ({ room, chatId, data }) => ({ room: room ?? data?.room, chatId: chatId ?? data?.chatId });

/**
 * A frame as an event of a log: {seq, prev, frame, kind, room or chatId}; `kind` is undefined for
 * one that is not known. Null for what is no part of a log: it names no room and no chat, or not
 * both `seq` and `prev`.
 */
export function entryOf(frame) {
  const { seq, prev } = frame.data ?? {};
  const { room, chatId } = placeOf(frame);
  if (!isWhole(seq) || !isWhole(prev) || prev >= seq) return null;
  const entry = { seq, prev, frame, kind: KINDS.get(frame.event) };
  if (typeof room === "string") return { ...entry, room };
  return isWhole(chatId) ? { ...entry, chatId } : null;
}
