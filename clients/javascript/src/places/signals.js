/** The server's events that have no position in a log, and those of unknown kinds. */

import { EVENT_TYPES } from "../support/emitter.js";
import { addressOf } from "./entries.js";

export class Signals {
  #connection;
  #places;
  #sender;
  #typists;
  #identity;
  #emit;
  #resume;

  /** `resume({rooms, chats})`: resume the named rooms and chats. */
  constructor(connection, places, sender, typists, identity, emit, resume) {
    this.#connection = connection;
    this.#places = places;
    this.#sender = sender;
    this.#typists = typists;
    this.#identity = identity;
    this.#emit = emit;
    this.#resume = resume;
  }

  /** Emit what a frame means to the application. */
  take(frame) {
    const { event, data, room } = frame;
    const address = addressOf(frame);
    const place = this.#places.of(address.room, address.chatId);
    switch (event) {
      case "messageHistory": return this.#places.buffer(place);
      case "seen": return this.#seen(place, data.user, data.seq);
      case "messageSeen": return this.#messageSeen(place, data.messageId);
      case "typing": return this.#typists.take(place, data, frame.users, this.#identity.name);
      case "onlineUsers": return this.#emit("online", { users: data.map(String) });
      case "notification": return this.#notice(room, place, data);
      case "newChat": return this.#places.newChat(data);
      case "chatDeleted": return this.#places.chatDeleted(this.#places.of(undefined, data.id));
      case "banLifted": return this.#emit("banLifted", { place: `#${data.room}` });
      case "durable": return place && this.#sender.durable(place.name, data.seq);
      case "resume_required": return this.#resume(data);
      case "reconnect": return this.#connection.moveIn(data.afterMs);
      case "welcome": case "passwordStatus": case "roomCreated": case "lagged":
      case "rooms": case "chatsList": return undefined; // parts of replies, or said by other events
      default: return this.#unknown(frame);
    }
  }

  #seen(place, user, seq) {
    if (place) this.#emit("seen", { place: place.name, user: String(user), seq });
  }

  /** The other user of a chat has seen a message, and all before it. */
  #messageSeen(place, id) {
    const message = place?.find(id), me = this.#identity.name;
    if (message) this.#seen(place, message.sender === me ? place.user : me, message.seq);
  }

  #notice(room, place, { content, createdAt }) {
    if (room !== undefined && !place?.isInside) return; // a join was refused: its error says so
    const at = new Date(createdAt).toISOString();
    this.#emit("notice", { place: place?.name ?? null, content, createdAt: at });
  }

  /** Emit it as it came, as `other` and by its own name, unless the client's own events have that name. */
  #unknown({ event, data, room, chatId }) {
    const unknown = { event, data, room, chatId };
    this.#emit("other", unknown);
    if (!EVENT_TYPES.has(event)) this.#emit(event, unknown);
  }
}
