/**
 * Parley's client for browsers and Node: rooms and direct chats over one WebSocket that reconnects
 * by itself. This is the entry of the package; parley.d.ts has its types, README.md examples.
 *
 * A *place* is a room or a direct chat: "#general" is the room general, "@bob" the direct chat with
 * bob. The client emits what happens in a place once and in order, whatever becomes of the
 * connection. What is sent waits in an outbox until the server has accepted it.
 */

import { Connection } from "./connection/connection.js";
import { Identity } from "./connection/identity.js";
import { pauseAfter, requestWithRetries, retryOnConnection } from "./connection/retry.js";
import { DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS } from "./constants.js";
import { ModerationRequests } from "./moderation.js";
import { entryOf } from "./places/entries.js";
import { Place } from "./places/place.js";
import { Places } from "./places/places.js";
import { Resumer } from "./places/resumer.js";
import { Signals } from "./places/signals.js";
import { Typists } from "./places/typists.js";
import { Outbox, publicEntry } from "./sending/outbox.js";
import { Sender } from "./sending/sender.js";
import { EVENT_TYPES, Emitter } from "./support/emitter.js";
import { ParleyError } from "./support/errors.js";
import { EventStream } from "./support/event-stream.js";
import { checkPlace, randomId } from "./support/names.js";

export { ParleyError };

/** Milliseconds between two signs of typing; milliseconds that a join waits where the server asks for a pause. */
const TYPING_INTERVAL_MS = 1_500, MAX_JOIN_PAUSE_MS = 1_000;
/** Events that may wait in an iterator. */
const MAX_QUEUED_EVENTS = 1000;

/** A client that stays connected. Every request may reject with a `ParleyError`. */
export class Parley extends ModerationRequests {
  #emitter = new Emitter();
  #identity;
  #connection;
  #places;
  #resumer;
  #outbox;
  #sender;
  #typists;
  #signals;
  #isOnline = false;

  constructor(url, options) {
    super();
    this.#identity = new Identity(options ?? {});
    // A guest has another name on each connection: nothing is kept for the next one.
    const settings = this.#identity.isGuest ? { ...options, durable: false, storage: null } : options;
    const emit = (type, event) => this.#emitter.emit(type, event);
    this.#connection = new Connection(url, this.#identity, settings, emit, {
      frame: (frame) => this.#take(frame),
      named: (before) => this.#named(before),
      reconnected: () => this.#reconnected(),
      ready: () => this.#ready(),
      lost: () => this.#lost(),
    });
    this.#places = new Places(this.#connection, this.#identity, emit);
    this.#resumer = new Resumer(this.#connection, this.#places, emit);
    this.#outbox = new Outbox(settings.storage ?? null, (error) => emit("error", error));
    if (this.username) this.#openOutbox();
    this.#sender = new Sender(this.#connection, this.#outbox, this.#places, this.#identity, settings, emit);
    this.#typists = new Typists(emit);
    this.#signals = new Signals(this.#connection, this.#places, this.#sender, this.#typists, this.#identity, emit,
      (named) => this.#resumeRequired(named));
    this.#places.hooks = {
      echo: (place, message) => this.#sender.echo(place, message),
      failAll: (place, error) => this.#sender.failAll(place, error),
      renamed: (from, place) => this.#sender.renamed(from, place),
      entered: () => this.#sender.pump(),
      stopped: (place, user) => this.#typists.stop(place, user),
      signal: (frame) => this.#signals.take(frame),
    };
  }

  get username() { return this.#identity.name; }
  get state() { return this.#connection.state; }
  get gateway() { return this.#connection.gateway; }
  get maxContent() { return this.#connection.limits.maxContent; }
  get maxFrame() { return this.#connection.limits.maxFrame; }
  get outbox() { return this.#outbox.entries.map(publicEntry); }

  on(type, listener) { return this.#emitter.on(type, listener); }

  once(type, listener) { return this.#emitter.once(type, listener); }

  off(type, listener) { this.#emitter.off(type, listener); }

  events({ types, limit = MAX_QUEUED_EVENTS } = {}) {
    const wanted = new Set(types ?? EVENT_TYPES);
    let stop;
    const stream = new EventStream(limit, () => stop?.());
    stop = this.#emitter.observe((type, event) => {
      if (wanted.has(type)) stream.push({ type, event });
      if (type === "state" && event.state === "closed") stream.end();
    });
    if (this.state === "closed") stream.end();
    return stream;
  }

  connect() { return this.#connection.connect(); }

  close() { this.#connection.finish("closed by this client"); }

  reconnectNow() { this.#connection.reconnectNow(); }

  request(event, data, { settle, ...options } = {}) {
    const ask = (ms) => this.#connection.ask(event, typeof data === "function" ? data() : data, settle, ms);
    return requestWithRetries(this.#connection, ask, options);
  }

  // ---- rooms

  createRoom(name, { password } = {}) {
    return this.request("createRoom", { name, ...(password && { password }) });
  }

  join(name, keys = {}) {
    // A user who gave a wrong password too often learns of it now, and is not let in minutes later.
    const longest = keys.password ? MAX_JOIN_PAUSE_MS : undefined;
    return requestWithRetries(this.#connection, (ms) => this.#places.enter(`#${name}`, keys, ms), { repeat: true, longest });
  }

  async leave(name) {
    const place = this.#places.get(`#${name}`);
    if (!place) return;
    this.#typists.stopAll(place);
    this.#places.remove(place.name);
    // Without a connection the user is in no room, and the next connection does not enter this one.
    if (this.state === "connected") await this.request("leaveRoom", { room: place.room }, { repeat: true });
  }

  async rooms({ after = "", limit = MAX_PAGE_ITEMS } = {}) {
    const found = [];
    const settle = ({ next }, rooms = []) => ({ next, rooms });
    // A page has fewer rooms than were asked for where their names are long.
    for (let at = after; at !== undefined && found.length < limit;) {
      const page = await this.request("getRooms", { after: at, limit: limit - found.length }, { repeat: true, settle });
      found.push(...page.rooms);
      at = page.next;
    }
    return found;
  }

  async clear(name) {
    await this.request("deleteMessages", { room: name });
  }

  /** Remember the password that a room has now, to enter it again after a reconnect. */
  keepPassword(name, password) {
    Object.assign(this.#places.get(`#${name}`) ?? {}, { password });
  }

  // ---- direct chats and presence

  /** A function, because the name of a user with a token is known once the client is connected. */
  #asUser = () => ({ userId: this.username });

  async goOnline() {
    await this.request("userOnline", this.#asUser, { repeat: true });
    this.#isOnline = true;
    return this.chats();
  }

  async goOffline() {
    this.#isOnline = false;
    this.#places.forgetChats();
    await this.request("userOffline", this.#asUser);
  }

  async chats() {
    const ask = (data, settle) => this.request("getChats", data, { repeat: true, settle });
    return (await this.#places.listAll(this.#asUser, ask)).chats;
  }

  createChat(user) {
    const settle = (chat) => {
      const { name: place, user: called, chatId } = this.#places.chat(chat);
      this.#places.alias(`@${user}`, place);
      return { place, user: called, chatId };
    };
    const pair = () => ({ user1Id: this.username, user2Id: user });
    return this.request("createChat", pair, { repeat: true, settle });
  }

  // ---- rooms and direct chats

  send(place, content, { clientMsgId = randomId() } = {}) {
    checkPlace(place);
    return this.#sender.send(place, content, clientMsgId);
  }

  resend(clientMsgId) { this.#sender.resend(clientMsgId); }

  discard(clientMsgId) { this.#sender.discard(clientMsgId); }

  async history(name, { before, after, limit = DEFAULT_PAGE_ITEMS } = {}) {
    checkPlace(name);
    const place = this.#places.get(name) ?? new Place(name);
    if (place.room === null && place.chatId === null) return { items: [], head: 0, partial: false, next: null };
    const settle = (page) => this.#places.page(place, page, after);
    for (;;) {
      const asked = { ...place.address, before, after, limit };
      const page = await this.request("history", asked, { repeat: true, settle });
      // A page of deleted messages alone shows nothing: go on until there is something, or the end.
      if (page.next === null || page.partial || page.items.some(({ deleted }) => !deleted)) return page;
      if (after === undefined) before = page.next;
      else after = page.next;
    }
  }

  seen(name, seq) {
    const place = this.#places.get(name);
    if (!place || seq <= place.seen) return;
    place.seen = seq;
    this.#sendSeen(place);
  }

  typing(name) {
    const place = this.#places.get(name);
    const now = Date.now();
    if (!place?.isInside || now - place.typingSentAt < TYPING_INTERVAL_MS) return;
    place.typingSentAt = now;
    this.#connection.post({ event: "typing", data: place.address });
  }

  async deleteMessage(messageId) {
    await this.request("deleteMessage", { messageId }, { repeat: true });
  }

  // ---- frames of the server

  #take(frame) {
    const entry = entryOf(frame);
    if (entry) this.#places.take(entry);
    else this.#signals.take(frame);
  }

  async #resumeRequired({ rooms, chats }) {
    const named = [...rooms.map((room) => this.#places.of(room)), ...chats.map((id) => this.#places.of(undefined, id))];
    const places = named.filter((place) => place && place.last !== null);
    // Also of rooms that the user has left: what the broker lost there is sent when they are back.
    const names = new Set([...rooms.map((room) => `#${room}`), ...places.map(({ name }) => name)]);
    for (const name of names) this.#sender.resendUnconfirmed(name);
    try {
      await this.#resumer.resume(places);
      if (chats.some((id) => !this.#places.of(undefined, id))) await this.#findChats();
    } catch (error) {
      if (error.code !== "connection_lost") this.#emitter.emit("error", error);
    }
    this.#sender.pump();
  }

  // ---- the connection

  #openOutbox() {
    this.#outbox.open(`parley/outbox/${this.#connection.url}/${this.username}/`);
  }

  #named(before) {
    if (before === this.username) return;
    const { isGuest, hasToken } = this.#identity;
    if (before && (isGuest || hasToken)) this.#sender.failUnanswered();
    else this.#openOutbox(); // also where the server has another spelling of the name
    this.#emitter.emit("user", { username: this.username, before });
  }

  #lost() {
    this.#places.connectionLost();
    for (const place of this.#places.all()) this.#typists.stopAll(place);
  }

  /** Resume every place, come online again, and find the chats that were created meanwhile. */
  async #reconnected() {
    this.#sender.resendUnconfirmed();
    await this.#resumer.resumeAll();
    if (!this.#isOnline) return;
    await retryOnConnection(() => this.#connection.ask("userOnline", this.#asUser()));
    await this.#findChats();
  }

  /** List the direct chats, and emit all messages of those that were created meanwhile. */
  async #findChats() {
    const ask = (data, settle) => retryOnConnection(() => this.#connection.ask("getChats", data(), settle));
    const { chats, created } = await this.#places.listAll(this.#asUser, ask);
    this.#emitter.emit("chats", { chats });
    if (created.length) await this.#resumer.resume(created);
  }

  #ready() {
    for (const place of this.#places.all()) this.#sendSeen(place);
    this.#sender.pump();
  }

  #sendSeen(place) {
    if (place.seen <= place.seenSent || !place.isInside || !this.#connection.isReady) return;
    const seq = (place.seenSent = place.seen);
    this.#connection.ask("seen", { ...place.address, seq }).catch((error) => {
      if (error.code === "connection_lost") return; // the next connection sends it
      place.seenSent = 0;
      if (error.retryable) this.#connection.later(() => this.#sendSeen(place), pauseAfter(error, 4));
    });
  }
}
