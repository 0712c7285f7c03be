/** All conversations of the page, updated by the client's events. Views listen to its own events. */

import { Emitter } from "../client/support/emitter.js";
import { Conversation } from "./conversation.js";
import { takeSpelling } from "./spelling.js";
import { ROOM_CHANGE_TYPES, actParts } from "./text.js";

const PAGE_MESSAGES = 100;

/**
 * Events: "list" (order, badges, people), "conversation" {name, what} where what is "messages",
 * "older", "loading", "typing", "gate" or "seen", "open" {name}, "moved" {name} (the open conversation
 * has another name), "news" {conversation, message}, and "failed" (an error to show to the user).
 */
export class Store extends Emitter {
  conversations = new Map();
  current = null;
  online = new Set();
  #knowsChats = false; // before that the client finds no history of a chat, and it would look empty

  constructor(client, memory) {
    super();
    this.client = client;
    this.memory = memory;
    this.mine = new Set([client.username]);
    this.#subscribe();
    for (const name of Object.keys(memory.rooms)) this.conversation(`#${name}`);
    for (const entry of client.outbox) this.conversation(entry.place).setPending(entry);
  }

  get me() {
    return this.client.username;
  }

  /** The conversation of a room or chat; it is added if it is new. */
  conversation(name) {
    let conversation = this.conversations.get(name);
    if (!conversation) {
      conversation = new Conversation(name, this.mine);
      conversation.draft = this.memory.draft(name);
      conversation.mySeen = this.memory.rooms[conversation.title]?.seen ?? 0;
      this.conversations.set(name, conversation);
    }
    return conversation;
  }

  /** Connect, join the user's rooms again, and go online. */
  async start() {
    await this.client.connect();
    const online = this.client.goOnline().finally(() => { this.#knowsChats = true; }).then((chats) => this.#chats(chats));
    await Promise.all([this.#loadAll(), online.catch((error) => this.emit("failed", error))]);
  }

  /** Open a conversation; null opens none. */
  open(name) {
    const previous = this.conversations.get(this.current);
    this.current = name;
    if (previous && previous.name !== name) previous.trim();
    if (name !== null) this.#load(this.conversation(name));
    this.emit("open", { name });
    this.emit("list");
  }

  get rooms() {
    return this.#sorted((conversation) => conversation.isRoom, (a, b) => a.title.localeCompare(b.title));
  }

  get chats() {
    const at = ({ last }) => last?.createdAt ?? "";
    return this.#sorted((conversation) => !conversation.isRoom, (a, b) => at(b).localeCompare(at(a)));
  }

  get unread() {
    return [...this.conversations.values()].reduce((sum, { unread }) => sum + unread, 0);
  }

  /** Create a room and join it. Resolves with its name, as the server spells it. */
  async createRoom(name, password) {
    const created = await this.client.createRoom(name, { password });
    await this.join(created.name, { password });
    return created.name;
  }

  /** Join a room. Rejects if the server refuses. `credentials`: {password} or {grant}. */
  async join(name, credentials = {}) {
    const conversation = this.conversation(`#${name}`);
    conversation.joining = true;
    try {
      const joined = await this.client.join(name, credentials);
      const now = this.conversations.get(joined.place); // under the server's spelling of the name
      if (now) this.#joined(now, joined);
      else this.client.leave(name).catch(() => {}); // the user has left it meanwhile
    } catch (error) {
      // A retryable error is no reason to show the user: the next connection joins again.
      const isBanned = error.reason === "banned";
      if (!error.retryable && error.code !== "closed" && (isBanned || !conversation.loaded)) conversation.gate = error;
      if (isBanned) this.#putOut(conversation);
      throw error;
    } finally {
      conversation.joining = false;
      this.#changed(conversation, "messages");
      this.emit("list"); // the list and the heading say if the room is locked, or the user banned
    }
  }

  async leave(name) {
    this.memory.setRoom(name, null);
    this.#forget(`#${name}`);
    await this.client.leave(name);
  }

  /** Load the page of history before the first message. */
  async loadOlder(conversation) {
    if (conversation.loading || conversation.complete || !conversation.loaded) return;
    conversation.loading = true;
    this.#changed(conversation, "loading");
    try {
      const { older } = conversation;
      const page = await this.client.history(conversation.name, { before: older, limit: PAGE_MESSAGES });
      const added = conversation.prepend(page.items);
      conversation.partial = page.partial;
      // Unless it was cleared meanwhile. A partial page may lack messages: the same place again.
      if (conversation.older === older && (!page.partial || page.next !== null)) conversation.older = page.next;
      conversation.loading = false;
      this.emit("conversation", { name: conversation.name, what: "older", added });
    } catch (error) {
      conversation.loading = false;
      conversation.partial = true;
      this.#changed(conversation, "loading");
      if (error.code !== "closed") this.emit("failed", error);
    }
  }

  /** Mark a conversation as seen up to its end. */
  markSeen(conversation) {
    const head = conversation.head;
    if (!conversation.loaded || (conversation.unread === 0 && conversation.mySeen >= head)) return;
    const hadUnread = conversation.unread > 0;
    conversation.mySeen = Math.max(conversation.mySeen, head);
    conversation.unread = 0;
    if (conversation.isRoom) this.memory.setRoom(conversation.title, { seen: head });
    this.client.seen(conversation.name, head);
    if (hadUnread) this.emit("list");
  }

  setDraft(conversation, text) {
    const had = conversation.draft !== "";
    conversation.draft = text;
    this.memory.setDraft(conversation.name, text);
    if (had !== (text !== "")) this.emit("list");
  }

  send(conversation, content) {
    // The events of the outbox tell what becomes of it.
    this.client.send(conversation.name, content).catch(() => {});
  }

  #sorted(which, order) {
    return [...this.conversations.values()].filter(which).sort(order);
  }

  /** Join the user's rooms and load the open conversation, where that is not done. */
  async #loadAll() {
    const names = new Set(Object.keys(this.memory.rooms).map((name) => `#${name}`));
    if (this.current !== null) names.add(this.current);
    await Promise.all([...names].map((name) => this.#load(this.conversation(name))));
  }

  async #load(conversation) {
    if (conversation.loaded || conversation.joining || conversation.waitsForUser || this.client.state !== "connected") return;
    try {
      if (conversation.isRoom) await this.join(conversation.title, this.memory.rooms[conversation.title]);
      else if (this.#knowsChats) await this.#reload(conversation);
    } catch (error) {
      if (conversation.gate === null && !error.retryable && error.code !== "closed") this.emit("failed", error);
    }
  }

  #joined(conversation, { messages, head, next, grant, role = null }) {
    const known = this.memory.rooms[conversation.title];
    this.memory.setRoom(conversation.title, { grant, seen: known?.seen ?? head });
    conversation.mySeen = Math.max(conversation.mySeen, this.memory.rooms[conversation.title].seen);
    Object.assign(conversation, { grantLocks: Boolean(grant), role });
    this.#begin(conversation, messages, next);
    conversation.recount();
    this.emit("list");
    // A resume from the head misses no message. It is sent because the server sends the cursors of
    // the other members after a resume, and not after a join.
    const resume = { rooms: { [conversation.title]: head }, grants: grant ? { [conversation.title]: grant } : {} };
    this.client.request("resume", resume, { repeat: true }).catch(() => {});
  }

  #begin(conversation, messages, older) {
    conversation.pending = this.client.outbox.filter(({ place }) => place === conversation.name);
    conversation.begin(messages, older);
  }

  async #reload(conversation) {
    const page = await this.client.history(conversation.name, { limit: PAGE_MESSAGES });
    this.#begin(conversation, page.items, page.next);
    conversation.partial = page.partial;
    if (conversation.isRoom) conversation.recount();
    this.#changed(conversation, "messages");
  }

  #chats(chats) {
    for (const { place, unread, lastMessage } of chats) {
      const conversation = this.conversation(place);
      conversation.unread = unread;
      if (!conversation.loaded) conversation.preview = lastMessage;
    }
    const current = this.conversations.get(this.current);
    if (current && !current.isRoom) this.#load(current);
    this.emit("list");
  }

  /** Show nothing more of a room that the user is not in: not what is unread there, nor a role. */
  #putOut(conversation) {
    Object.assign(conversation, { loaded: false, role: null, unread: 0, typing: [] });
  }

  #forget(name) {
    this.conversations.delete(name);
    if (this.current === name) this.open(null);
    this.emit("list");
  }

  #changed(conversation, what) {
    this.emit("conversation", { name: conversation.name, what });
  }

  #subscribe() {
    const { client } = this;
    client.on("message", (message) => this.#message(message));
    client.on("deleted", ({ place, id }) => this.#update(place, (conversation) => conversation.remove(id)));
    client.on("cleared", ({ place, seq }) => this.#update(place, (conversation) => conversation.clear(seq)));
    client.on("outbox", (entry) => this.#update(entry.place, (conversation) => conversation.setPending(entry)));
    client.on("seen", ({ place, user, seq }) => this.#update(place, (conversation) => conversation.seen(user, seq), "seen"));
    client.on("typing", ({ place, users }) => this.#update(place, (conversation) => { conversation.typing = users; }, "typing"));
    client.on("chats", ({ chats }) => this.#chats(chats));
    client.on("chat", ({ place }) => this.#update(place, () => {}));
    client.on("renamed", ({ from, place }) => takeSpelling(this, from, place));
    client.on("chatDeleted", ({ place }) => this.#forget(place));
    client.on("reset", ({ place }) => this.#reload(this.conversation(place))
      .catch((error) => this.emit("failed", error)));
    client.on("lost", ({ place, ...error }) => this.#update(place, (conversation) => {
      conversation.gate = error;
      this.#putOut(conversation);
      if (conversation.waitsForUser) this.memory.setRoom(conversation.title, null); // nor does the page join it when it is loaded again
    }, "gate"));
    client.on("banLifted", ({ place }) => {
      const conversation = this.conversations.get(place);
      if (conversation?.isBanned) this.join(conversation.title).catch(() => {}); // the gate says why
    });
    client.on("user", ({ username }) => {
      this.mine.add(username);
      this.emit("list");
    });
    for (const type of ROOM_CHANGE_TYPES) client.on(type, (event) => this.#roomChanged(type, event));
    client.on("online", ({ users }) => {
      this.online = new Set(users);
      this.emit("list");
    });
    client.on("state", ({ state, again }) => state === "connected" && again && this.#loadAll());
    client.on("error", (error) => this.emit("failed", error));
  }

  #update(place, change, what = "messages") {
    const conversation = this.conversation(place);
    change(conversation);
    this.#changed(conversation, what);
    this.emit("list");
  }

  /** Add a line for a change of a room, which may also change the user's role. */
  #roomChanged(type, { place, seq, ...facts }) {
    const words = actParts(type, facts, this.mine).join("");
    this.#update(place, (conversation) => {
      conversation.note(seq, facts.by, words);
      if (type === "moderatorChanged" && this.mine.has(facts.user)) conversation.role = facts.moderator ? "moderator" : null;
      if (type === "passwordChanged") conversation.grantLocks = facts.protected;
    });
  }

  #message(message) {
    const conversation = this.conversation(message.place);
    if (!conversation.add(message)) return;
    if (!conversation.isMine(message) && message.seq > conversation.mySeen) conversation.unread++;
    this.#changed(conversation, "messages");
    this.emit("news", { conversation, message });
    this.emit("list");
  }
}
