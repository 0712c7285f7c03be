/**
 * Events that have a position in the log of a room or a direct chat.
 *
 * The frame decides whether an event has a position, not its kind: the events of a newer server,
 * which this client does not know, have positions, too. If the client passed over them, the event
 * after each would name a `prev` that it does not have, and it would ask for history again and again.
 */

/** A message of the protocol as a message of this client. */
export function toMessage(item) {
  const { id, seq, prev, content = "", createdAt = null, deleted = false, seen } = item;
  const sender = String(item.sender ?? item.senderId ?? "");
  return { id, seq, prev, sender, content, createdAt, deleted, ...(seen !== undefined && { seen }) };
}

/**
 * The seq from which the page after this one goes on; null if there are no more messages. `after`:
 * what the page was asked for with, undefined for one that is read backwards.
 * A server of version 0.1 sends no `next`. Its pages count deleted messages too, so an empty one is
 * the last.
 */
export function nextOf({ items, next }, after) {
  if (next !== undefined) return next;
  if (after !== undefined) return items.at(-1)?.seq ?? null;
  return items[0]?.prev > 0 ? items[0].seq : null;
}

/** A kind of event about the rights of users in a room. */
const rights = (type, more) => ({
  type, ...more,
  toEvent: ({ prev, room, user, by, ...rest }) => ({ ...rest, by: String(by), ...(user !== undefined && { user: String(user) }) }),
});

/**
 * The known kinds, by their names in the protocol: the `type` of the client's event, and a function
 * that makes it of the frame's data. `namesUsers`: the data names the two users of its chat.
 * `removesUser`: its user is not in the room any more.
 */
const KINDS = new Map(Object.entries({
  message: { type: "message", toEvent: toMessage },
  newMessage: { type: "message", toEvent: toMessage, namesUsers: true },
  deleteMessages: { type: "cleared", toEvent: ({ seq }) => ({ seq }) },
  messageDeleted: { type: "deleted", toEvent: ({ messageId, seq }) => ({ id: messageId, seq }) },
  kicked: rights("kicked", { removesUser: true }),
  banned: rights("banned", { removesUser: true }),
  unbanned: rights("unbanned"),
  moderatorChanged: rights("moderatorChanged"),
  passwordChanged: rights("passwordChanged"),
}));

const isWhole = (value) => Number.isSafeInteger(value) && value >= 0;

/** The room or the chat that a frame names, in its data or beside it. */
export const addressOf = ({ room, chatId, data }) => ({ room: room ?? data?.room, chatId: chatId ?? data?.chatId });

/**
 * A frame as an entry of a log: {seq, prev, frame, kind, room or chatId}; `kind` is undefined for
 * an unknown one. Null for a frame that is no part of a log: it names no room and no chat, or not
 * both `seq` and `prev`.
 */
export function entryOf(frame) {
  const { seq, prev } = frame.data ?? {};
  const { room, chatId } = addressOf(frame);
  if (!isWhole(seq) || !isWhole(prev) || prev >= seq) return null;
  const entry = { seq, prev, frame, kind: KINDS.get(frame.event) };
  if (typeof room === "string") return { ...entry, room };
  return isWhole(chatId) ? { ...entry, chatId } : null;
}
