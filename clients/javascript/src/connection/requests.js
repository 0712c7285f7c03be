/** The requests of one connection that wait for their replies. */

import { ParleyError } from "../support/errors.js";

/** Events that come just before a reply and belong to it, by the request. */
const EVENT_WITH_REPLY = { joinRoom: "messageHistory", getRooms: "rooms", getChats: "chatsList" };

export class Requests {
  #pending = new Map(); // id -> {event, settle, resolve, reject}
  #lastId = 0;
  #latest = new Map(); // event -> its data, as it came last

  /** Note a request. Returns its `id` and the `promise` of its result. */
  add(event, settle) {
    const id = ++this.#lastId;
    const promise = new Promise((resolve, reject) => this.#pending.set(id, { event, settle, resolve, reject }));
    return { id, promise };
  }

  /** Note an event that may belong to a reply. */
  note({ event, data }) {
    this.#latest.set(event, data);
  }

  /**
   * Settle the request that a `reply` or `error` frame answers. The result is computed here, before
   * the next frame is read: live events that follow the reply to `joinRoom` would otherwise be
   * taken for a gap after messages that are not known yet. Returns the error where it answers no
   * request.
   */
  settle({ event, id, data }) {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    if (event === "reply") {
      request?.resolve(request.settle(data, this.#latest.get(EVENT_WITH_REPLY[request.event])));
      return undefined;
    }
    const error = new ParleyError(data.code, data.message, data.retryable, data.retryAfterMs);
    if (!request) return error;
    request.reject(error);
    return undefined;
  }

  /** Reject all that wait. */
  rejectAll(error) {
    const requests = [...this.#pending.values()];
    this.#pending.clear();
    this.#latest.clear();
    for (const request of requests) request.reject(error);
  }
}
