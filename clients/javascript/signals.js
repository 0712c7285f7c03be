/** What the server says beside the logs of rooms and chats, and what this client does not know. */

import { placeOf } from "./log.js";
import { TYPES } from "./support.js";

export class Signals {
  #connection;
  #places;
  #sender;
  #typists;
  #identity;
  #emit;
  #resume;

  /** `resume(named)`: go on from where one was in the rooms and chats that are named. */
  constructor(connection, places, sender, typists, identity, emit, resume) {
    this.#connection = connection;
    this.#places = places;
    this.#sender = sender;
    this.#typists = typists;
    this.#identity = identity;
    this.#emit = emit;
    this.#resume = resume;
  }

  /** Tell what has no place in a log, or is of a kind of which no more is known than its place. */
  tell(frame) {
    const { event, data, room } = frame;
    const named = placeOf(frame);
    const place = this.#places.of(named.room, named.chatId);
    switch (event) {
      case "messageHistory": return this.#places.hold(place);
      case "seen": return this.#seen(place, data.user, data.seq);
      case "messageSeen": return this.#messageSeen(place, data.messageId);
      case "typing": return this.#typists.take(place, data);
      case "onlineUsers": return this.#emit("online", { users: data.map(String) });
      case "notification": return this.#notice(room, place, data);
      case "newChat": return this.#places.newChat(data);
      case "chatDeleted": return this.#places.chatGone(this.#places.of(undefined, data.id));
      case "durable": return place && this.#sender.durable(place.name, data.seq);
      case "resume_required": return this.#resume(data);
      case "reconnect": return this.#connection.moveIn(data.afterMs);
      case "welcome": case "passwordStatus": case "roomCreated": case "lagged":
      case "rooms": case "chatsList": return undefined; // parts of answers, or said otherwise
      default: return this.#other(frame);
    }
  }

  #seen(place, user, seq) {
    if (place) this.#emit("seen", { place: place.name, user: String(user), seq });
  }

  /** Whoever did not send a message has seen it, and all before it. */
  #messageSeen(place, id) {
    const known = place?.knows(id), me = this.#identity.name;
    if (known) this.#seen(place, known.sender === me ? place.user : me, known.seq);
  }

  #notice(room, place, { content, createdAt }) {
    if (room !== undefined && !place?.inside) return; // of a door that stayed shut: an error says so
    const at = new Date(createdAt).toISOString();
    this.#emit("notice", { place: place?.name ?? null, content, createdAt: at });
  }

  /** As it came, as `other` and by its own name, unless that would be taken for a type of ours. */
  #other({ event, data, room, chatId }) {
    const told = { event, data, room, chatId };
    this.#emit("other", told);
    if (!TYPES.has(event)) this.#emit(event, told);
  }
}
