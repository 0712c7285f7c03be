/** Sends the messages of the outbox, each until the server has accepted it. */

import { pauseAfter } from "../connection/retry.js";
import { ParleyError } from "../support/errors.js";
import { deferred, wait } from "../support/promises.js";
import { publicEntry } from "./outbox.js";

/** Accepted messages whose own event may still come. */
const MAX_EXPECTED = 500;
/** Attempts without any answer, after which a message fails. */
const MAX_UNANSWERED = 3;
/** The longest pause between two attempts, in milliseconds, on top of what the server asks for. */
const MAX_PAUSE_MS = 5_000;

export class Sender {
  #expected = new Map(); // id -> clientMsgId
  #connection;
  #outbox;
  #emit;
  #identity;
  #durable;
  #places;

  constructor(connection, outbox, places, identity, { durable }, emit) {
    this.#connection = connection;
    this.#outbox = outbox;
    this.#places = places;
    this.#identity = identity;
    this.#durable = durable;
    this.#emit = emit;
  }

  send(name, content, clientMsgId) {
    const place = this.#places.get(name)?.name ?? name;
    const entry = this.#outbox.find(clientMsgId) ?? this.#outbox.add(place, content, clientMsgId);
    const { promise } = (entry.done ??= deferred());
    if (entry.state === "failed") this.#tryAgain(entry, content);
    else this.#begin(entry);
    return promise;
  }

  resend(clientMsgId) {
    const entry = this.#outbox.find(clientMsgId);
    if (entry?.state === "failed") this.#tryAgain(entry, entry.content);
  }

  discard(clientMsgId) {
    const entry = this.#outbox.find(clientMsgId);
    if (!entry) return;
    this.#outbox.remove(entry);
    entry.done?.reject(new ParleyError("discarded", "the message was discarded"));
    this.#changed(entry, "discarded");
    this.pump();
  }

  /** Send the next message of each place that can be sent to. One at a time for each keeps the order. */
  pump() {
    if (!this.#connection.isReady) return;
    const busy = new Set();
    for (const entry of this.#outbox.entries) {
      if (busy.has(entry.place) || !["waiting", "sending"].includes(entry.state)) continue;
      busy.add(entry.place);
      const isOpen = entry.place[0] === "@" || this.#places.get(entry.place)?.isInside;
      if (entry.state === "waiting" && isOpen) this.#dispatch(entry);
    }
  }

  /**
   * The `clientMsgId` of the user's own message that came as an event. Its reply may not be there
   * yet, so that its id is not known: then it is the first that was sent with the same content.
   */
  echo(place, { id, content }) {
    const clientMsgId = this.#expected.get(id);
    this.#expected.delete(id);
    const entries = this.#outbox.of(place);
    const isIt = (entry) =>
      entry.isTried && entry.state !== "failed" && entry.id === null && !entry.echoId && entry.content === content;
    const entry = entries.find((entry) => entry.id === id) ?? entries.find(isIt) ?? this.#firstToUser(place, isIt);
    if (entry) entry.echoId = id;
    return entry?.clientMsgId ?? clientMsgId;
  }

  /** The first message to a user whose name the server spells in another way than the application. */
  #firstToUser(place, isIt) {
    if (place[0] !== "@") return undefined;
    const entry = this.#outbox.entries.find((entry) => entry.place[0] === "@" && !this.#places.get(entry.place) && isIt(entry));
    if (entry) this.#places.alias(entry.place, place);
    return entry;
  }

  /** A place has another name than the messages that wait for it were written to. */
  renamed(from, place) {
    for (const entry of this.#outbox.of(from)) {
      entry.place = place;
      this.#outbox.save(entry);
      this.#changed(entry);
    }
  }

  /**
   * Send again what was accepted and is not durable. The `durable` event covers only what was sent
   * on the present connection and in the present epoch: if Redis lost a message that was accepted
   * before, nobody else would notice. To the server it is the same message.
   */
  resendUnconfirmed(place) {
    for (const entry of place === undefined ? this.#outbox.entries : this.#outbox.of(place)) {
      if (entry.state !== "failed") entry.state = "waiting";
    }
  }

  /** The user may not enter a place any more: what waits for it fails. */
  failAll(place, error) {
    for (const entry of this.#outbox.of(place)) this.#failed(entry, error);
  }

  /**
   * The user has another name now, as a guest has after each reconnect. What was sent without a
   * reply fails: under the new name it would be a second message.
   */
  failUnanswered() {
    const error = new ParleyError("connection_lost", "the connection was lost before the reply: the message may have been accepted");
    for (const entry of this.#outbox.entries) {
      if (entry.isTried && entry.state === "waiting") this.#failed(entry, error);
    }
  }

  /** The database has all of the user's own messages in a place up to a seq. */
  durable(place, seq) {
    for (const entry of this.#outbox.of(place)) {
      if (entry.state !== "accepted" || entry.seq > seq) continue;
      this.#outbox.remove(entry);
      this.#changed(entry, "durable");
    }
    this.#emit("durable", { place, seq });
  }

  #tryAgain(entry, content) {
    Object.assign(entry, { state: "waiting", error: null, unanswered: 0, content });
    this.#outbox.save(entry);
    this.#begin(entry);
  }

  #begin(entry) {
    this.#changed(entry);
    const refused = this.#connection.limits.contentError(entry.content);
    if (refused && entry.state === "waiting") this.#failed(entry, refused);
    this.pump();
  }

  async #dispatch(entry) {
    const { clientMsgId, content, place, isTried } = entry;
    const [event, address] = place[0] === "#" ? ["message", { room: place.slice(1) }]
      : ["sendMessage", { senderId: this.#identity.name, receiverId: place.slice(1) }];
    const data = { ...address, content, clientMsgId, ...(isTried && { resend: true }) };
    entry.state = "sending";
    entry.isTried = true;
    // If another connection sends it again meanwhile, the result of this attempt is ignored.
    const attempt = (entry.attempt = Symbol(clientMsgId));
    try {
      const refused = this.#connection.limits.contentError(content);
      if (refused) throw refused;
      await this.#connection.ask(event, data, (reply) => this.#accepted(entry, reply));
      entry.failures = 0;
    } catch (error) {
      if (entry.attempt !== attempt || entry.state !== "sending") return;
      if (error.code === "timeout") this.#unanswered(entry);
      else if (!error.retryable) this.#failed(entry, error);
      else if (error.code === "connection_lost") entry.state = "waiting";
      else {
        await wait(pauseAfter(error, ++entry.failures, MAX_PAUSE_MS)); // later messages wait, too
        if (entry.attempt === attempt && entry.state === "sending") entry.state = "waiting";
      }
    }
    this.pump();
  }

  /** Nothing came back, though the connection lives: send it again, but not for ever, as others wait behind it. */
  #unanswered(entry) {
    entry.unanswered = (entry.unanswered ?? 0) + 1;
    if (entry.unanswered < MAX_UNANSWERED) entry.state = "waiting";
    else this.#failed(entry, new ParleyError("timeout", "the server did not answer: the message may have been accepted"));
  }

  #accepted(entry, { id, seq, createdAt, chatId }) {
    Object.assign(entry, { state: "accepted", id, seq, createdAt });
    const { clientMsgId } = entry;
    if (!entry.echoId) this.#expected.set(id, clientMsgId);
    if (this.#expected.size > MAX_EXPECTED) this.#expected.delete(this.#expected.keys().next().value);
    if (chatId !== undefined) this.#places.chat({ chatId, other: entry.place.slice(1) });
    if (this.#durable) this.#outbox.save(entry);
    else this.#outbox.remove(entry);
    this.#changed(entry);
    this.#emit("accepted", publicEntry(entry));
    entry.done?.resolve({ place: entry.place, id, seq, createdAt });
  }

  #failed(entry, { code, message }) {
    Object.assign(entry, { state: "failed", error: { code, message } });
    this.#outbox.save(entry);
    this.#changed(entry);
    entry.done?.reject(new ParleyError(code, message));
    entry.done = undefined;
  }

  #changed(entry, state = entry.state) {
    this.#emit("outbox", { ...publicEntry(entry), state });
  }
}
