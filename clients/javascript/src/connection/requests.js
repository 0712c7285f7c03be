/** The requests of one connection that wait for their replies. */

import { ParleyError } from "../support/errors.js";
import { byteLength, tooLarge } from "./limits.js";

/** Events that come just before a reply and belong to it, by the request. */
const EVENT_WITH_REPLY = { joinRoom: "messageHistory", getRooms: "rooms", getChats: "chatsList" };
/** Milliseconds until a request has to be answered. */
const ANSWER_TIMEOUT_MS = 30_000;

export class Requests {
  #pending = new Map(); // id -> {event, settle, resolve, reject, bytes, timer}
  #lastId = 0;
  #latest = new Map(); // event -> its data, as it came last
  #limits;
  #timeoutMs;

  constructor(limits, timeoutMs = ANSWER_TIMEOUT_MS) {
    this.#limits = limits;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Send a request, unless the server would refuse it. It is rejected with `timeout` if nothing
   * answers it within `ms` milliseconds.
   */
  ask(socket, event, data, settle, ms = this.#timeoutMs) {
    const id = ++this.#lastId;
    const text = JSON.stringify({ event, data, id });
    const bytes = byteLength(text);
    const refused = this.#limits.frameError(text, bytes);
    if (refused) return Promise.reject(refused);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#late(id, ms), ms);
      this.#pending.set(id, { event, settle, resolve, reject, bytes, timer });
      socket.send(text);
    });
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
    const request = this.#remove(event === "error" && id === undefined ? this.#idOfUnreadable(data) : id);
    if (event === "reply") {
      try {
        request?.resolve(request.settle(data, this.#latest.get(EVENT_WITH_REPLY[request.event])));
      } catch (error) {
        request.reject(error); // a reply of another form: whoever asked does not wait for ever
      }
      return undefined;
    }
    const { code = "internal", message = "the server gave no reason", retryable, retryAfterMs, reason } = data ?? {};
    const error = new ParleyError(code, message, retryable, retryAfterMs, reason);
    if (!request) return error;
    request.reject(error);
    return undefined;
  }

  /** Reject the request whose frame was too large for the server: no other can be larger. */
  rejectLargest() {
    const [id, largest] = [...this.#pending].reduce((a, b) => (b[1].bytes > (a[1]?.bytes ?? 0) ? b : a), []);
    this.#remove(id)?.reject(tooLarge(largest.bytes));
  }

  /** Reject all that wait. */
  rejectAll(error) {
    for (const id of [...this.#pending.keys()]) this.#remove(id).reject(error);
    this.#latest.clear();
  }

  /** The server could not read a frame, nor its id: it was that of the only request there is. */
  #idOfUnreadable(error) {
    return error?.code === "bad_frame" && this.#pending.size === 1 ? this.#pending.keys().next().value : undefined;
  }

  #late(id, ms) {
    this.#remove(id).reject(new ParleyError("timeout", `no answer within ${ms / 1000} s`, true));
  }

  #remove(id) {
    const request = this.#pending.get(id);
    clearTimeout(request?.timer);
    this.#pending.delete(id);
    return request;
  }
}
