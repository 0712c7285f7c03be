/** The rooms and chats a client is in: what happens there, once and in order, on any connection. */

import { patiently } from "./patience.js";
import { Place } from "./place.js";
import { ParleyError, said } from "./support.js";

/** Places in one `resume`; messages in a page. */
const MOST_RESUMED = 500, PAGE = 100;

export class Places {
  #connection;
  #emit;
  #identity;
  #byName = new Map();
  #chats = new Map(); // by id
  #listed = false;
  /**
   * Told of each own message, of a place that one enters or is shut out of, of who types no more,
   * and of frames that are told as they come: {echo, entered, refuseAll, stopped, tell}.
   */
  helpers = null;

  constructor(connection, identity, emit) {
    this.#connection = connection;
    this.#identity = identity;
    this.#emit = emit;
  }

  get(name) {
    return this.#byName.get(name);
  }

  all() {
    return [...this.#byName.values()];
  }

  /** The place that a frame belongs to. */
  of(room, chatId) {
    return room === undefined ? this.#chats.get(chatId) : this.#byName.get(`#${room}`);
  }

  connectionLost() {
    for (const place of this.#byName.values()) place.connectionLost();
  }

  // ---- what happens

  /** Tell an event of a log in its turn, whatever it is; what is missing before it is read first. */
  take(entry) {
    const { kind, frame } = entry;
    const place = kind?.pair ? this.chat(frame.data) : this.of(entry.room, entry.chatId);
    if (!place) {
      if (!kind) this.helpers.tell(frame);
      return;
    }
    if (place.last === null && place.user !== null) place.last = entry.prev;
    const held = place.holding;
    const verdict = place.take(entry);
    if (verdict === "show") this.#show(place, entry);
    else if (verdict === "wait" && !held && !place.replaying) this.#heal(place);
  }

  /** The history that joining shows: live events wait until the reply says how far it goes. */
  hold(place) {
    if (place) place.holding = true;
  }

  /** A page of the wire, for the application. */
  page(place, { items, head, partial = false }) {
    const messages = items.map((item) => ({ ...said(item), place: place.name }));
    for (const message of messages) place.remember(message);
    return { items: messages, head, partial };
  }

  #show(place, { frame, kind }) {
    if (!kind) return this.helpers.tell(frame);
    const told = kind.told(frame.data);
    if (kind.type === "message") return this.#showMessage(place, told);
    this.#emit(kind.type, { ...told, place: place.name });
    if (kind.putsOut && told.user === this.#identity.name) this.#putOut(place, kind.type);
  }

  #showMessage(place, message) {
    place.remember(message);
    if (place.replaying) place.missed++;
    this.helpers.stopped(place, message.sender);
    const mine = message.sender === this.#identity.name ? this.helpers.echo(place.name, message) : undefined;
    const more = mine === undefined ? {} : { clientMsgId: mine };
    this.#emit("message", { ...message, place: place.name, missed: place.replaying, ...more });
  }

  /** Read what the connection did not bring, then tell what waited for it. */
  async #heal(place) {
    place.holding = true;
    try {
      for (let more = true; more;) {
        const asked = { ...place.address, after: place.last, limit: PAGE };
        const page = await patiently(() => this.#connection.ask("history", asked));
        for (const item of page.items.map(said)) {
          if (item.seq <= place.last) continue;
          place.last = item.seq;
          if (!item.deleted) this.#showMessage(place, item);
        }
        more = page.items.length === PAGE;
      }
    } catch (error) {
      if (error.code === "connection_lost") return; // the next connection resumes
      this.#emit("error", error);
    }
    for (const event of place.release()) this.#show(place, event);
  }

  // ---- coming and going

  /** Enter a room on the present connection. */
  async enter(name, { password, grant } = {}) {
    const fresh = !this.#byName.has(name);
    const place = this.#byName.get(name) ?? new Place(name);
    this.#byName.set(name, place);
    const key = { grant: grant ?? place.grant, password: password ?? place.password };
    const asked = { room: place.room, ...Object.fromEntries(Object.entries(key).filter((e) => e[1])) };
    try {
      return await this.#connection.ask("joinRoom", asked, (reply, items) => {
        Object.assign(place, key);
        return this.#entered(place, reply, items);
      });
    } catch (error) {
      if (fresh) this.#byName.delete(name);
      throw error;
    }
  }

  #entered(place, { head, grant, role }, items = []) {
    place.grant = grant;
    place.inside = true;
    const page = this.page(place, { items, head });
    place.last = Math.max(place.last ?? 0, head);
    const waited = place.release();
    queueMicrotask(() => this.helpers.entered(place));
    for (const event of waited) this.#show(place, event);
    return { place: place.name, messages: page.items, head, ...(grant && { grant }), ...(role && { role }) };
  }

  leave(name) {
    this.#byName.delete(name);
  }

  /** Back in touch: go on with every place. */
  comeBack() {
    return this.resume(this.all().filter((place) => place.last !== null));
  }

  /** Have told what was missed in places that one was in. */
  async resume(places) {
    let messages = 0;
    for (const place of places) place.doubt();
    const isDoubted = (place) => place.doubts.length && this.#byName.get(place.name) === place;
    const doubted = () => places.filter(isDoubted).slice(0, MOST_RESUMED);
    while (doubted().length) {
      const notRecovered = await patiently(() => this.#askResume(doubted()));
      for (const place of places) {
        messages += place.missed;
        place.missed = 0;
      }
      // First all that needs no connection: it may be lost.
      for (const place of notRecovered) this.#beginAnew(place);
      for (const place of notRecovered) if (!place.inside) await this.#enterAgain(place);
    }
    if (places.length) this.#emit("caughtUp", { messages });
  }

  /**
   * Each place is asked from where it was first doubted, also when that was refused before: what
   * came by itself since may lie beyond a hole, or hide that what was there before is lost.
   * Resolves with the places that one cannot go on with.
   */
  async #askResume(places) {
    const asked = { rooms: {}, chats: {}, grants: {} };
    const doubts = places.map((place) => ({ place, since: Math.min(...place.doubts), count: place.doubts.length }));
    for (const { place, since } of doubts) {
      place.replaying = true;
      if (place.room === null) asked.chats[place.chatId] = since;
      else asked.rooms[place.room] = since;
      if (place.grant) asked.grants[place.room] = place.grant;
    }
    const settle = ({ rooms, chats }) => doubts.filter(({ place, since, count }) => {
      const verdict = place.room === null ? chats[place.chatId] : rooms[place.room];
      this.#resumed(place, since, count, verdict);
      return !verdict.recovered;
    }).map(({ place }) => place);
    try {
      return places.length ? await this.#connection.ask("resume", asked, settle) : [];
    } finally {
      for (const place of places) place.replaying = false;
    }
  }

  #resumed(place, since, count, { recovered, head }) {
    // What the replay seemed to lack was deleted, or it came in between.
    for (const event of place.release()) this.#show(place, event);
    place.inside = recovered || head > 0;
    place.settled(recovered ? since : Infinity, count);
    if (recovered) place.last = Math.max(place.last, head);
    else if (place.inside) place.last = head;
  }

  /** The place that was named is not one any more: what was shown of it is void. */
  #beginAnew(place) {
    if (place.inside) this.#emit("reset", { place: place.name });
    else if (place.room === null) this.chatGone(place);
  }

  /** Go back into a room, or learn that one is shut out. */
  async #enterAgain(place) {
    if (place.room === null) return;
    const before = place.last;
    try {
      place.last = null;
      await patiently(() => this.enter(place.name));
      this.#emit("reset", { place: place.name });
    } catch (error) {
      if (error.code === "connection_lost") {
        place.last = before; // the next connection finds out the same
        throw error;
      }
      this.#byName.delete(place.name);
      this.helpers.refuseAll(place.name, error);
      this.#emit("lost", { place: place.name, code: error.code, message: error.message });
    }
  }

  /** One is in the room no more, whatever one may have missed of it. */
  #putOut(place, how) {
    if (this.#byName.get(place.name) !== place) return;
    this.#byName.delete(place.name);
    place.connectionLost();
    const message = how === "banned" ? "you were banned from the room" : "you were put out of the room";
    for (const user of [...place.typists.keys()]) this.helpers.stopped(place, user);
    this.helpers.refuseAll(place.name, new ParleyError("forbidden", message));
    this.#emit("lost", { place: place.name, code: how, message });
  }

  // ---- direct chats

  /** The place of a chat, from whatever names it. */
  chat({ id, chatId = id, user1Id, user2Id, senderId = user1Id, receiverId = user2Id, other }) {
    const user = String(other ?? (String(senderId) === this.#identity.name ? receiverId : senderId));
    let place = this.#byName.get(`@${user}`);
    if (!place || (place.chatId !== null && place.chatId !== chatId)) {
      place = new Place(`@${user}`); // also where the old chat was deleted and a new one made
      this.#byName.set(place.name, place);
    }
    place.chatId = chatId;
    place.inside = true;
    this.#chats.set(chatId, place);
    return place;
  }

  /** Take a complete list; `news`: chats made since the first list, of which nothing was told. */
  list(items = []) {
    const news = [];
    const chats = items.map((item) => {
      const isNew = !this.#chats.has(item.id) && this.#listed;
      const place = this.chat(item);
      if (isNew) news.push(place);
      place.last ??= isNew ? 0 : item.lastMessage?.seq ?? 0;
      const { id: chatId, unread, createdAt, lastMessage } = item;
      const last = lastMessage ? this.page(place, { items: [lastMessage] }).items[0] : null;
      return { place: place.name, user: place.user, chatId, unread, createdAt, lastMessage: last };
    });
    this.#listed = true;
    return { chats, news };
  }

  newChat(chat) {
    const known = this.#chats.has(chat.id);
    const { name, user, chatId } = this.chat(chat);
    this.get(name).last ??= 0;
    if (!known) this.#emit("chat", { place: name, user, chatId });
  }

  chatGone(place) {
    if (!place) return;
    this.#chats.delete(place.chatId);
    if (this.#byName.get(place.name) === place) this.#byName.delete(place.name);
    this.#emit("chatDeleted", { place: place.name });
  }

  forgetChats() {
    for (const place of this.#chats.values()) this.#byName.delete(place.name);
    this.#chats.clear();
    this.#listed = false;
  }
}
