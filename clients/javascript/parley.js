/**
 * Parley's client for browsers and Node: rooms and direct chats over one WebSocket that comes back
 * by itself. Import this module; parley.d.ts has its types, docs/reference/javascript.md examples.
 *
 * A conversation is named by its *place*: "#general" is a room, "@bob" the direct chat with bob.
 * What happens in a place is told once and in order, whatever becomes of the connection, and what
 * is sent goes through an outbox until the server has it.
 */

import { Connection } from "./connection.js";
import { Identity } from "./identity.js";
import { entryOf } from "./log.js";
import { Outbox, shown } from "./outbox.js";
import { patiently, pauseAfter, request } from "./patience.js";
import { Place } from "./place.js";
import { Places } from "./places.js";
import { Moderation } from "./rules.js";
import { Sender } from "./sender.js";
import { Signals } from "./signals.js";
import { Emitter, ParleyError, checkPlace, randomId } from "./support.js";
import { Typists } from "./typists.js";

export { ParleyError };

/** Milliseconds between two signs of typing; messages in a page; milliseconds to wait to knock again. */
const TYPING_EVERY = 1_500, PAGE = 100, LONGEST_KNOCK = 1_000;

/** A client that stays connected. Whatever asks the server may reject with a `ParleyError`. */
export class Parley extends Moderation {
  #events = new Emitter();
  #identity;
  #connection;
  #places;
  #outbox;
  #sender;
  #typists;
  #signals;
  #online = false;

  constructor(url, options) {
    super();
    this.#identity = new Identity(options ?? {});
    // A guest is somebody else on each connection: nothing is kept for the next one.
    const settings = this.#identity.isGuest ? { ...options, durable: false, storage: null } : options;
    const emit = (type, event) => this.#events.emit(type, event);
    this.#connection = new Connection(url, this.#identity, settings, emit, {
      frame: (frame) => this.#take(frame),
      named: (before) => this.#named(before),
      back: () => this.#comeBack(),
      ready: () => this.#ready(),
      lost: () => this.#lost(),
    });
    this.#places = new Places(this.#connection, this.#identity, emit);
    this.#outbox = new Outbox(settings.storage ?? null, (error) => emit("error", error));
    if (this.username) this.#openOutbox();
    this.#sender = new Sender(this.#connection, this.#outbox, this.#places, this.#identity, settings, emit);
    this.#typists = new Typists(emit);
    this.#signals = new Signals(this.#connection, this.#places, this.#sender, this.#typists, this.#identity, emit,
      (named) => this.#resumeRequired(named));
    this.#places.helpers = {
      echo: (place, message) => this.#sender.echo(place, message),
      refuseAll: (place, error) => this.#sender.refuseAll(place, error),
      entered: () => this.#sender.pump(),
      stopped: (place, user) => this.#typists.stop(place, user),
      tell: (frame) => this.#signals.tell(frame),
    };
  }

  get username() { return this.#identity.name; }
  get state() { return this.#connection.state; }
  get gateway() { return this.#connection.gateway; }
  get maxContent() { return this.#connection.maxContent; }
  get outbox() { return this.#outbox.entries.map(shown); }

  on(type, listener) {
    return this.#events.on(type, listener);
  }

  connect() { return this.#connection.connect(); }

  close() {
    this.#connection.finish("closed by this client");
  }

  reconnectNow() {
    this.#connection.reconnectNow();
  }

  request(event, data, { settle, ...options } = {}) {
    const ask = () => this.#connection.ask(event, typeof data === "function" ? data() : data, settle);
    return request(this.#connection, ask, options);
  }

  // ---- rooms

  createRoom(name, { password } = {}) {
    return this.request("createRoom", { name, ...(password && { password }) });
  }

  join(name, keys = {}) {
    // Whoever gave a password too often wants to know now, not to be let in later.
    const longest = keys.password ? LONGEST_KNOCK : undefined;
    return request(this.#connection, () => this.#places.enter(`#${name}`, keys), { repeat: true, longest });
  }

  async leave(name) {
    const place = this.#places.get(`#${name}`);
    if (!place) return;
    this.#typists.stop(place, ...place.typists.keys());
    this.#places.leave(place.name);
    // Without a connection one is in no room, and the next one does not enter it.
    if (this.state === "connected") await this.request("leaveRoom", { room: name }, { repeat: true });
  }

  rooms({ after = "", limit = 1000 } = {}) {
    const settle = (_, rooms) => rooms ?? [];
    return this.request("getRooms", { after, limit }, { repeat: true, settle });
  }

  async clear(name) {
    await this.request("deleteMessages", { room: name });
  }

  /** What a room takes from now on, to come back to it. */
  keepPassword(name, password) {
    Object.assign(this.#places.get(`#${name}`) ?? {}, { password });
  }

  // ---- direct chats and people

  /** Known once one is connected. */
  #asMe = () => ({ userId: this.username });

  async goOnline() {
    await this.request("userOnline", this.#asMe, { repeat: true });
    this.#online = true;
    return this.chats();
  }

  async goOffline() {
    this.#online = false;
    this.#places.forgetChats();
    await this.request("userOffline", this.#asMe);
  }

  chats() {
    const settle = (_, chats) => this.#places.list(chats).chats;
    return this.request("getChats", this.#asMe, { repeat: true, settle });
  }

  createChat(user) {
    const settle = (chat) => {
      const { name: place, chatId } = this.#places.chat(chat);
      return { place, user: String(user), chatId };
    };
    const asked = () => ({ user1Id: this.username, user2Id: user });
    return this.request("createChat", asked, { repeat: true, settle });
  }

  // ---- in a place

  send(place, content, { clientMsgId = randomId() } = {}) {
    checkPlace(place);
    return this.#sender.send(place, content, clientMsgId);
  }

  resend(clientMsgId) {
    this.#sender.resend(clientMsgId);
  }

  discard(clientMsgId) {
    this.#sender.discard(clientMsgId);
  }

  async history(name, { before, after, limit = PAGE } = {}) {
    checkPlace(name);
    const place = this.#places.get(name) ?? new Place(name);
    if (place.room === null && place.chatId === null) return { items: [], head: 0, partial: false };
    const settle = (page) => this.#places.page(place, page);
    const asked = { ...place.address, before, after, limit };
    return this.request("history", asked, { repeat: true, settle });
  }

  seen(name, seq) {
    const place = this.#places.get(name);
    if (!place || seq <= place.seen) return;
    place.seen = seq;
    this.#tellSeen(place);
  }

  typing(name) {
    const place = this.#places.get(name);
    const now = Date.now();
    if (!place?.inside || now - place.typedAt < TYPING_EVERY) return;
    place.typedAt = now;
    this.#connection.post({ event: "typing", data: place.address });
  }

  async deleteMessage(messageId) {
    await this.request("deleteMessage", { messageId }, { repeat: true });
  }

  // ---- what the server says

  #take(frame) {
    const entry = entryOf(frame);
    if (entry) this.#places.take(entry);
    else this.#signals.tell(frame);
  }

  async #resumeRequired({ rooms, chats }) {
    const named = [...rooms.map((room) => this.#places.of(room)),
      ...chats.map((id) => this.#places.of(undefined, id))];
    const places = named.filter((place) => place && place.last !== null);
    // Of a room that one has left, too: what was lost there is sent when one is back.
    const doubted = new Set([...rooms.map((room) => `#${room}`), ...places.map(({ name }) => name)]);
    for (const name of doubted) this.#sender.doubt(name);
    try {
      await this.#places.resume(places);
      if (chats.some((id) => !this.#places.of(undefined, id))) await this.#findChats();
    } catch (error) {
      if (error.code !== "connection_lost") this.#events.emit("error", error);
    }
    this.#sender.pump();
  }

  // ---- the life of a connection

  #openOutbox() {
    this.#outbox.open(`parley/outbox/${this.#connection.url}/${this.username}/`);
  }

  #named(before) {
    if (before === this.username) return;
    if (before) this.#sender.disown();
    else this.#openOutbox();
    this.#events.emit("user", { username: this.username, before });
  }

  #lost() {
    this.#places.connectionLost();
    for (const place of this.#places.all()) this.#typists.stop(place, ...place.typists.keys());
  }

  /** Back in touch: go on with every place, come online, and hear of what was made meanwhile. */
  async #comeBack() {
    this.#sender.doubt();
    await this.#places.comeBack();
    if (!this.#online) return;
    await patiently(() => this.#connection.ask("userOnline", this.#asMe()));
    await this.#findChats();
  }

  /** Hear of chats that were made meanwhile, and of all that was said in them. */
  async #findChats() {
    const settle = (_, items) => this.#places.list(items);
    const { chats, news } = await patiently(() => this.#connection.ask("getChats", this.#asMe(), settle));
    this.#events.emit("chats", { chats });
    if (news.length) await this.#places.resume(news);
  }

  #ready() {
    for (const place of this.#places.all()) this.#tellSeen(place);
    this.#sender.pump();
  }

  #tellSeen(place) {
    if (place.seen <= place.seenTold || !place.inside || !this.#connection.isReady) return;
    const seq = (place.seenTold = place.seen);
    this.#connection.ask("seen", { ...place.address, seq }).catch((error) => {
      if (error.code === "connection_lost") return; // it is told on the next one
      place.seenTold = 0;
      if (error.retryable) this.#connection.later(() => this.#tellSeen(place), pauseAfter(error, 4));
    });
  }
}
