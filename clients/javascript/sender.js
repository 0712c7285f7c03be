/** Sends what the outbox holds, each message until the server has it. */

import { shown } from "./outbox.js";
import { pauseAfter } from "./patience.js";
import { ParleyError, deferred, wait } from "./support.js";

/** Accepted messages whose own event may still be on its way. */
const MOST_EXPECTED = 500;
/** Milliseconds between two attempts at the most, beside what the server asks for. */
const LONGEST_PAUSE = 5_000;

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

  send(place, content, clientMsgId) {
    const entry = this.#outbox.find(clientMsgId) ?? this.#outbox.add(place, content, clientMsgId);
    entry.done ??= deferred();
    this.#tell(entry);
    this.pump();
    return entry.done.promise;
  }

  resend(clientMsgId) {
    const entry = this.#outbox.find(clientMsgId);
    if (entry?.state !== "failed") return;
    Object.assign(entry, { state: "waiting", error: null });
    this.#outbox.save(entry);
    this.#tell(entry);
    this.pump();
  }

  discard(clientMsgId) {
    const entry = this.#outbox.find(clientMsgId);
    if (!entry) return;
    this.#outbox.remove(entry);
    entry.done?.reject(new ParleyError("discarded", "it was discarded"));
    this.#tell(entry, "discarded");
    this.pump();
  }

  /** Send the next of each place that can be sent to; one at a time keeps their order. */
  pump() {
    if (!this.#connection.isReady) return;
    const busy = new Set();
    for (const entry of this.#outbox.entries) {
      if (busy.has(entry.place) || !["waiting", "sending"].includes(entry.state)) continue;
      busy.add(entry.place);
      const open = entry.place[0] === "@" || this.#places.get(entry.place)?.inside;
      if (entry.state === "waiting" && open) this.#dispatch(entry);
    }
  }

  /** The send that an own message is, as far as one can know before its answer has come. */
  echo(place, { id, content }) {
    const clientMsgId = this.#expected.get(id);
    this.#expected.delete(id);
    const entries = this.#outbox.of(place);
    const entry = entries.find((entry) => entry.id === id) ?? entries.find((entry) =>
      entry.tried && entry.id === null && !entry.echo && entry.content === content);
    if (entry) entry.echo = id;
    return entry?.clientMsgId ?? clientMsgId;
  }

  /**
   * What was accepted and is not durable is sent again: the word that it is durable covers what
   * was sent on the present connection, in the present epoch. To the server it is one message.
   */
  doubt(place) {
    for (const entry of place === undefined ? this.#outbox.entries : this.#outbox.of(place)) {
      if (entry.state !== "failed") entry.state = "waiting";
    }
  }

  /** The server does not let one into a place any more. */
  refuseAll(place, error) {
    for (const entry of this.#outbox.of(place)) this.#refused(entry, error);
  }

  /** One has another name now: sent again, what may have been kept would be another message. */
  disown() {
    const error = new ParleyError("connection_lost", "the connection was lost before its answer: it may have been kept");
    for (const entry of this.#outbox.entries) {
      if (entry.tried && entry.state === "waiting") this.#refused(entry, error);
    }
  }

  /** Everything of one's own in a place up to a seq is in the database. */
  durable(place, seq) {
    for (const entry of this.#outbox.of(place)) {
      if (entry.state !== "accepted" || entry.seq > seq) continue;
      this.#outbox.remove(entry);
      this.#tell(entry, "durable");
    }
    this.#emit("durable", { place, seq });
  }

  async #dispatch(entry) {
    const { clientMsgId, content, place, tried } = entry;
    const [event, to] = place[0] === "#" ? ["message", { room: place.slice(1) }]
      : ["sendMessage", { senderId: this.#identity.name, receiverId: place.slice(1) }];
    const data = { ...to, content, clientMsgId, ...(tried && { resend: true }) };
    entry.state = "sending";
    entry.tried = true;
    // Another connection dispatches it anew: then the answer to this attempt is not looked at.
    const attempt = (entry.attempt = Symbol(clientMsgId));
    try {
      await this.#connection.ask(event, data, (reply) => this.#accepted(entry, reply));
      entry.failures = 0;
    } catch (error) {
      if (entry.attempt !== attempt || entry.state !== "sending") return;
      if (!error.retryable) this.#refused(entry, error);
      else if (error.code === "connection_lost") entry.state = "waiting";
      else {
        await wait(pauseAfter(error, ++entry.failures, LONGEST_PAUSE)); // those behind it wait, too
        if (entry.attempt === attempt && entry.state === "sending") entry.state = "waiting";
      }
    }
    this.pump();
  }

  #accepted(entry, { id, seq, createdAt, chatId }) {
    Object.assign(entry, { state: "accepted", id, seq, createdAt });
    const { place, clientMsgId } = entry;
    if (!entry.echo) this.#expected.set(id, clientMsgId);
    if (this.#expected.size > MOST_EXPECTED) this.#expected.delete(this.#expected.keys().next().value);
    if (chatId !== undefined) this.#places.chat({ chatId, other: place.slice(1) });
    if (this.#durable) this.#outbox.save(entry);
    else this.#outbox.remove(entry);
    this.#tell(entry);
    this.#emit("accepted", shown(entry));
    entry.done?.resolve({ place, id, seq, createdAt });
  }

  #refused(entry, { code, message }) {
    Object.assign(entry, { state: "failed", error: { code, message } });
    this.#outbox.save(entry);
    this.#tell(entry);
    entry.done?.reject(new ParleyError(code, message));
    entry.done = undefined;
  }

  #tell(entry, state = entry.state) {
    this.#emit("outbox", { ...shown(entry), state });
  }
}
