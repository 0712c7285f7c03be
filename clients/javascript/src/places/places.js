/** The rooms and chats of the client, and what happens in them: each event once and in order, on any connection. */

import { retryOnConnection } from "../connection/retry.js";
import { DEFAULT_PAGE_ITEMS } from "../constants.js";
import { ParleyError } from "../support/errors.js";
import { nextOf, toMessage } from "./entries.js";
import { Place } from "./place.js";

export class Places {
  #connection;
  #emit;
  #identity;
  #byName = new Map();
  #chats = new Map(); // by id
  /** The names of places by other spellings that the application used. */
  #aliases = new Map();
  #joins = 0;
  /** Entries of rooms that are unknown while a join is on its way: its room may have another spelling. */
  #early = [];
  #isListed = false;
  /**
   * Functions of other parts of the client: `echo(place, message)` and `failAll(place, error)` of
   * the sender, `renamed(from, name)` of a place, `entered()` after a room was entered, `stopped(place, user)` of the typists, and
   * `signal(frame)` for frames that need no order.
   */
  hooks = null;

  constructor(connection, identity, emit) {
    this.#connection = connection;
    this.#identity = identity;
    this.#emit = emit;
  }

  /** A place, by any spelling that was used of its name. */
  get(name) {
    return this.#byName.get(name) ?? this.#byName.get(this.#aliases.get(name));
  }

  all() {
    return [...this.#byName.values()];
  }

  /** The place that a frame belongs to. */
  of(room, chatId) {
    return room === undefined ? this.#chats.get(chatId) : this.#byName.get(`#${room}`);
  }

  /** False once the user has left it, or another place has taken its name. */
  isCurrent(place) {
    return this.#byName.get(place.name) === place;
  }

  remove(name) {
    this.#byName.delete(name);
  }

  connectionLost() {
    for (const place of this.#byName.values()) place.connectionLost();
  }

  // ---- events

  /** Emit an entry of a log in its turn. What is missing before it is read first. */
  take(entry) {
    const { kind, frame } = entry;
    const place = kind?.namesUsers ? this.chat(frame.data) : this.of(entry.room, entry.chatId);
    if (!place) {
      if (!kind) this.hooks.signal(frame);
      else if (this.#joins && entry.room !== undefined) this.#early.push(entry);
      return;
    }
    if (place.last === null && place.user !== null) place.last = entry.prev;
    const wasBuffering = place.isBuffering;
    const verdict = place.take(entry);
    if (verdict === "show") this.show(place, entry);
    else if (verdict === "wait" && !wasBuffering && !place.isReplaying) this.#heal(place);
  }

  /** History comes that belongs before all live events: they wait until the reply says how far it goes. */
  buffer(place) {
    if (place) place.isBuffering = true;
  }

  /** A page of the protocol, for the application. */
  page(place, { items, head, partial = false, next }, after) {
    const messages = items.map((item) => ({ ...toMessage(item), place: place.name }));
    for (const message of messages) place.remember(message);
    return { items: messages, head, partial, next: nextOf({ items, next }, after) };
  }

  /** Emit an entry now. */
  show(place, { frame, kind }) {
    if (!kind) return this.hooks.signal(frame);
    const event = kind.toEvent(frame.data);
    if (kind.type === "message") return this.#showMessage(place, event);
    this.#emit(kind.type, { ...event, place: place.name });
    if (kind.removesUser && event.user === this.#identity.name) this.#removedFrom(place, kind.type);
  }

  #showMessage(place, message) {
    place.remember(message);
    if (place.isReplaying) place.missed++;
    this.hooks.stopped(place, message.sender);
    const isOwn = message.sender === this.#identity.name;
    const clientMsgId = isOwn ? this.hooks.echo(place.name, message) : undefined;
    this.#emit("message", {
      ...message, place: place.name, missed: place.isReplaying, ...(clientMsgId !== undefined && { clientMsgId }),
    });
  }

  /** Read from the history what the connection did not bring, and show what waited for it, in order. */
  async #heal(place) {
    place.isBuffering = true;
    try {
      for (let entry; (entry = place.nextWaiting());) {
        await this.#readUpTo(place, entry.prev);
        // Entries may have come meanwhile, also some from before this one.
        for (const next of place.releaseNext()) this.show(place, next);
      }
    } catch (error) {
      if (error.code === "connection_lost") return; // the next connection resumes
      this.#emit("error", error);
    }
    for (const entry of place.release()) this.show(place, entry);
  }

  /**
   * Show the messages after the last event, up to `end`. Its `next` says whether more follows a
   * page, not the number of its items: their characters are bounded too, and deleted messages are
   * skipped. What is missing in the end was no message, or was deleted.
   * What comes after `end` has its turn later. Example: 5 is the last event, the kick 7 waits, and
   * the history has 6 and 8. With 8 shown now, the kick would be dropped as old.
   */
  async #readUpTo(place, end) {
    while (place.last < end) {
      const asked = { ...place.address, after: place.last, limit: DEFAULT_PAGE_ITEMS };
      const page = await retryOnConnection(() => this.#pageOf(asked));
      for (const item of page.items.map(toMessage)) {
        if (item.seq <= place.last || item.seq > end) continue;
        place.last = item.seq;
        if (!item.deleted) this.#showMessage(place, item);
      }
      const next = nextOf(page, asked.after) ?? end;
      place.last = Math.max(place.last, next > asked.after ? Math.min(next, end) : end);
    }
  }

  /** A page of history that lacks nothing. */
  async #pageOf(asked) {
    const page = await this.#connection.ask("history", asked);
    if (page.partial) throw new ParleyError("storage_unavailable", "a part of the history is not available", true);
    return page;
  }

  // ---- rooms

  /** Enter a room on the present connection. */
  async enter(name, { password, grant } = {}, ms = undefined) {
    const known = this.get(name);
    const place = known ?? new Place(name);
    if (!known) this.#byName.set(name, place);
    const keys = { grant: grant ?? place.grant, password: password ?? place.password };
    const asked = { room: place.room, ...Object.fromEntries(Object.entries(keys).filter(([, key]) => key)) };
    this.#joins++;
    try {
      return await this.#connection.ask("joinRoom", asked, (reply, items) => {
        const entered = this.#named(place, `#${reply.room ?? place.room}`);
        Object.assign(entered, keys);
        return this.#entered(entered, reply, items);
      }, ms);
    } catch (error) {
      if (!known) this.#byName.delete(name);
      throw error;
    } finally {
      if (!--this.#joins) this.#early = [];
    }
  }

  /** The place under the name that the server has for it: another spelling was asked for. */
  #named(place, name) {
    const { name: from } = place;
    if (from === name) return place;
    if (this.isCurrent(place)) this.#byName.delete(from);
    const named = this.#byName.get(name) ?? place.rename(name);
    this.#byName.set(name, named);
    this.alias(from, name);
    return named;
  }

  /** Find a place by another spelling of its name from now on. */
  alias(from, name) {
    if (from === name || this.#byName.has(from) || this.#aliases.get(from) === name) return;
    this.#aliases.set(from, name);
    this.hooks.renamed(from, name);
    this.#emit("renamed", { from, place: name });
  }

  #entered(place, { head, grant, role, next }, items = []) {
    place.grant = grant;
    place.isInside = true;
    const page = this.page(place, { items, head, next });
    // A server of version 0.1 may have left out deleted messages, with older ones behind them.
    if (next === undefined && !items.length && head > 0) page.next = head + 1;
    place.last = Math.max(place.last ?? 0, head);
    const waited = place.release();
    queueMicrotask(() => this.hooks.entered(place));
    for (const entry of waited) this.show(place, entry);
    for (const entry of this.#early) if (entry.room === place.room) this.take(entry);
    return { place: place.name, messages: page.items, head, next: page.next, ...(grant && { grant }), ...(role && { role }) };
  }

  /** The user was kicked or banned: they are in the room no more, whatever they missed of it. */
  #removedFrom(place, how) {
    if (!this.isCurrent(place)) return;
    this.#byName.delete(place.name);
    place.connectionLost();
    const message = how === "banned" ? "you were banned from the room" : "you were put out of the room";
    for (const user of [...place.typists.keys()]) this.hooks.stopped(place, user);
    this.hooks.failAll(place.name, new ParleyError("forbidden", message));
    this.#emit("lost", { place: place.name, code: how, message, reason: how });
  }

  // ---- direct chats

  /** The place of a chat, from any data that names the chat and its users. */
  chat({ id, chatId = id, user1Id, user2Id, senderId = user1Id, receiverId = user2Id, other }) {
    const user = String(other ?? (String(senderId) === this.#identity.name ? receiverId : senderId));
    let place = this.get(`@${user}`) ?? this.#chats.get(chatId);
    if (place?.chatId === chatId && place.user !== user) {
      // The other user's name in another spelling: that of an event is the server's.
      if (other === undefined) place = this.#named(place, `@${user}`);
      else this.alias(`@${user}`, place.name);
    }
    if (!place || (place.chatId !== null && place.chatId !== chatId)) {
      place = new Place(`@${user}`); // also where the old chat was deleted and a new one created
      this.#byName.set(place.name, place);
    }
    place.chatId = chatId;
    place.isInside = true;
    this.#chats.set(chatId, place);
    return place;
  }

  /**
   * Read the list of direct chats, page by page. `asUser()` is what each request says, and
   * `ask(data, settle)` makes one. `created`: the chats that were created since the first list.
   */
  async listAll(asUser, ask) {
    const chats = new Map();
    const created = [];
    for (let before; before !== null;) {
      const asked = before; // a repeated request asks for the same page
      before = await ask(() => ({ ...asUser(), before: asked }), ({ next = null }, items) => {
        const page = this.#list(items, next === null);
        for (const chat of page.chats) chats.set(chat.chatId, chat); // a chat may be on two pages
        created.push(...page.created);
        return next;
      });
    }
    return { chats: [...chats.values()], created };
  }

  #list(items = [], isLast) {
    const created = [];
    const chats = items.map((item) => {
      const isNew = !this.#chats.has(item.id) && this.#isListed;
      const place = this.chat(item);
      if (isNew) created.push(place);
      place.last ??= isNew ? 0 : item.lastMessage?.seq ?? 0;
      const { id: chatId, unread, createdAt, lastMessage } = item;
      const last = lastMessage ? this.page(place, { items: [lastMessage] }).items[0] : null;
      return { place: place.name, user: place.user, chatId, unread, createdAt, lastMessage: last };
    });
    this.#isListed ||= isLast;
    return { chats, created };
  }

  newChat(chat) {
    const isKnown = this.#chats.has(chat.id);
    const { name, user, chatId } = this.chat(chat);
    this.get(name).last ??= 0;
    if (!isKnown) this.#emit("chat", { place: name, user, chatId });
  }

  chatDeleted(place) {
    if (!place) return;
    this.#chats.delete(place.chatId);
    if (this.isCurrent(place)) this.#byName.delete(place.name);
    this.#emit("chatDeleted", { place: place.name });
  }

  forgetChats() {
    for (const place of this.#chats.values()) this.#byName.delete(place.name);
    this.#chats.clear();
    this.#isListed = false;
  }
}
