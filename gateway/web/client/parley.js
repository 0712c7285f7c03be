/**
 * Parley's client for browsers and Node: rooms and direct chats over one WebSocket that comes back
 * by itself. Import this module; parley.d.ts has its types, docs/javascript.md examples.
 *
 * A conversation is named by its *place*: "#general" is a room, "@bob" the direct chat with bob.
 * What happens in a place is told once and in order, whatever becomes of the connection, and what
 * is sent goes through an outbox until the server has it.
 */

import { Connection } from "./connection.js";
import { Outbox, shown } from "./outbox.js";
import { Place } from "./place.js";
import { Places } from "./places.js";
import { Moderation, RULES, ruled } from "./rules.js";
import { Sender } from "./sender.js";
import { Emitter, ParleyError, checkPlace, pause, randomId, said } from "./support.js";
import { Typists } from "./typists.js";

export { ParleyError };

/** Milliseconds between two signs of typing; messages in a page. */
const TYPING_EVERY = 1_500, PAGE = 100;

/** A client that stays connected. Whatever asks the server may reject with a `ParleyError`. */
export class Parley extends Moderation {
  #events = new Emitter();
  #connection;
  #places;
  #outbox;
  #sender;
  #typists;
  #online = false;

  constructor(url, options) {
    super();
    if (!options?.username) throw new TypeError("a client has a username");
    this.username = String(options.username);
    const settings = { durable: false, storage: null, ...options, username: this.username };
    const emit = (type, event) => this.#events.emit(type, event);
    this.#connection = new Connection(url, settings, emit, {
      frame: (frame) => this.#take(frame),
      back: () => this.#comeBack(),
      ready: () => this.#ready(),
      lost: () => this.#lost(),
    });
    this.#places = new Places(this.#connection, this.username, emit);
    const prefix = `parley/outbox/${this.#connection.url}/${this.username}/`;
    this.#outbox = new Outbox(settings.storage, prefix, (error) => emit("error", error));
    this.#sender = new Sender(this.#connection, this.#outbox, this.#places, settings, emit);
    this.#typists = new Typists(emit);
    this.#places.helpers = {
      echo: (place, message) => this.#sender.echo(place, message),
      refuseAll: (place, error) => this.#sender.refuseAll(place, error),
      entered: () => this.#sender.pump(),
      stopped: (place, user) => this.#typists.stop(place, user),
    };
  }

  get state() {
    return this.#connection.state;
  }

  get gateway() {
    return this.#connection.gateway;
  }

  get maxContent() {
    return this.#connection.maxContent;
  }

  get outbox() {
    return this.#outbox.entries.map(shown);
  }

  on(type, listener) {
    return this.#events.on(type, listener);
  }

  connect() {
    return this.#connection.connect();
  }

  close() {
    this.#connection.finish("closed by this client");
  }

  reconnectNow() {
    this.#connection.reconnectNow();
  }

  request(event, data, { settle, ...options } = {}) {
    return this.#connection.request(() => this.#connection.ask(event, data, settle), options);
  }

  // ---- rooms

  createRoom(name, { password } = {}) {
    return this.request("createRoom", { name, ...(password && { password }) });
  }

  join(name, keys = {}) {
    return this.#connection.request(() => this.#places.enter(`#${name}`, keys), { repeat: true });
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

  async goOnline() {
    await this.request("userOnline", { userId: this.username }, { repeat: true });
    this.#online = true;
    return this.chats();
  }

  async goOffline() {
    this.#online = false;
    this.#places.forgetChats();
    await this.request("userOffline", { userId: this.username });
  }

  chats() {
    const settle = (_, chats) => this.#places.list(chats).chats;
    return this.request("getChats", { userId: this.username }, { repeat: true, settle });
  }

  createChat(user) {
    const settle = (chat) => {
      const { name: place, chatId } = this.#places.chat(chat);
      return { place, user: String(user), chatId };
    };
    const asked = { user1Id: this.username, user2Id: user };
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

  #take({ event, data, room, chatId }) {
    const place = this.#places.of(room ?? data?.room, chatId ?? data?.chatId);
    switch (event) {
      case "message": return this.#places.take(place, said(data));
      case "newMessage": return this.#places.take(this.#places.chat(data), said(data));
      case "deleteMessages": return this.#places.take(place, { ...data, type: "cleared" });
      case "messageDeleted":
        return this.#places.take(place, { ...data, id: data.messageId, type: "deleted" });
      case RULES.has(event) && event: return this.#places.take(place, ruled(event, data));
      case "messageHistory": return this.#places.hold(place);
      case "seen": return this.#seen(place, data.user, data.seq);
      case "messageSeen": return this.#messageSeen(place, data.messageId);
      case "typing": return this.#typists.take(place, data);
      case "onlineUsers": return this.#events.emit("online", { users: data.map(String) });
      case "notification": return this.#notice(room, place, data);
      case "newChat": return this.#places.newChat(data);
      case "chatDeleted": return this.#places.chatGone(this.#places.of(undefined, data.id));
      case "durable": return place && this.#sender.durable(place.name, data.seq);
      case "resume_required": return this.#resumeRequired(data);
      case "reconnect": return this.#connection.moveIn(data.afterMs);
      case "welcome": case "passwordStatus": case "roomCreated": case "lagged":
      case "rooms": case "chatsList": return undefined; // parts of answers, or said otherwise
      default: return this.#events.emit("other", { event, data, room, chatId });
    }
  }

  #seen(place, user, seq) {
    if (place) this.#events.emit("seen", { place: place.name, user: String(user), seq });
  }

  /** Whoever did not send a message has seen it, and all before it. */
  #messageSeen(place, id) {
    const known = place?.knows(id);
    if (known) this.#seen(place, known.sender === this.username ? place.user : this.username, known.seq);
  }

  #notice(room, place, { content, createdAt }) {
    if (room !== undefined && !place?.inside) return; // of a door that stayed shut: an error says so
    const at = new Date(createdAt).toISOString();
    this.#events.emit("notice", { place: place?.name ?? null, content, createdAt: at });
  }

  async #resumeRequired({ rooms, chats }) {
    const named = [...rooms.map((room) => this.#places.of(room)),
      ...chats.map((id) => this.#places.of(undefined, id))];
    const places = named.filter((place) => place && place.last !== null);
    for (const place of places) this.#sender.doubt(place.name);
    try {
      await this.#places.resume(places);
    } catch (error) {
      if (error.code !== "connection_lost") this.#events.emit("error", error);
    }
    this.#sender.pump();
  }

  // ---- the life of a connection

  #lost() {
    this.#places.connectionLost();
    for (const place of this.#places.all()) this.#typists.stop(place, ...place.typists.keys());
  }

  /** Back in touch: go on with every place, come online, and hear of what was made meanwhile. */
  async #comeBack() {
    this.#sender.doubt();
    await this.#places.comeBack();
    if (!this.#online) return;
    const ask = (event, settle) => this.#connection.patiently(() =>
      this.#connection.ask(event, { userId: this.username }, settle));
    await ask("userOnline");
    const { chats, news } = await ask("getChats", (_, items) => this.#places.list(items));
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
      if (error.retryable) this.#connection.later(() => this.#tellSeen(place), pause(3, 250, 5_000));
    });
  }
}
