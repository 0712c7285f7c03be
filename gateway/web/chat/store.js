/** All conversations of the page, kept up with what the client tells; tells views what changed. */

import { Emitter } from "../client/support/emitter.js";
import { Conversation } from "./conversation.js";
import { RULE_LINES } from "./text.js";

const PAGE = 100;

/**
 * Events: "list" (order, badges, people), "conversation" {name, what} where what is "messages",
 * "older", "typing", "gate" or "seen", "open" {name}, "news" {conversation, message}, and
 * "failed" (an error for a person).
 */
export class Store extends Emitter {
  conversations = new Map();
  current = null;
  online = new Set();

  constructor(client, memory) {
    super();
    this.client = client;
    this.memory = memory;
    this.mine = new Set([client.username]);
    this.#listen();
    for (const name of Object.keys(memory.rooms)) this.conversation(`#${name}`);
    for (const entry of client.outbox) this.conversation(entry.place).setPending(entry);
  }

  get me() {
    return this.client.username;
  }

  /** The conversation of a place, made if there is none. */
  conversation(name) {
    let found = this.conversations.get(name);
    if (!found) {
      found = new Conversation(name, this.mine);
      found.draft = this.memory.draft(name);
      found.mySeen = this.memory.rooms[found.title]?.seen ?? 0;
      this.conversations.set(name, found);
    }
    return found;
  }

  /** Connect, enter the rooms one was in, and come online. */
  async start() {
    await this.client.connect();
    const online = this.client.goOnline().then((chats) => this.#chats(chats));
    await Promise.all([this.#enterAll(), online.catch((error) => this.emit("failed", error))]);
  }

  /** Show a conversation; null shows none. */
  open(name) {
    const before = this.conversations.get(this.current);
    this.current = name;
    if (before && before.name !== name) before.trim();
    if (name !== null) this.#enter(this.conversation(name));
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

  async createRoom(name, password) {
    await this.client.createRoom(name, { password });
    await this.join(name, { password });
  }

  /** Enter a room. Rejects where it stays shut. */
  async join(name, keys = {}) {
    const conversation = this.conversation(`#${name}`);
    conversation.joining = true;
    try {
      const joined = await this.client.join(name, keys);
      const now = this.conversations.get(conversation.name);
      if (now === conversation) this.#joined(conversation, joined);
      else if (!now) this.client.leave(name).catch(() => {}); // one has left meanwhile
    } catch (error) {
      // What passes is tried again with the next connection.
      if (!error.retryable && error.code !== "closed" && !conversation.loaded) conversation.gate = error;
      throw error;
    } finally {
      conversation.joining = false;
      this.#changed(conversation, "messages");
    }
  }

  async leave(name) {
    this.memory.setRoom(name, null);
    this.#forget(`#${name}`);
    await this.client.leave(name);
  }

  /** Read what is above the first message that is shown. */
  async loadOlder(conversation) {
    if (conversation.loading || conversation.complete || !conversation.loaded) return;
    conversation.loading = true;
    this.#changed(conversation, "loading");
    try {
      const before = conversation.messages[0]?.seq;
      const page = await this.client.history(conversation.name, { before, limit: PAGE });
      const added = conversation.prepend(page.items);
      conversation.partial = page.partial;
      conversation.complete = page.items.length === 0 && !page.partial;
      // Of a page on which all is deleted nothing is shown; the next one is further up.
      if (!added && page.items.length) conversation.complete = page.items[0].prev === 0;
      conversation.loading = false;
      this.emit("conversation", { name: conversation.name, what: "older", added });
    } catch (error) {
      conversation.loading = false;
      conversation.partial = true;
      this.#changed(conversation, "loading");
      if (error.code !== "closed") this.emit("failed", error);
    }
  }

  /** One looks at the end of a conversation: all of it is seen. */
  see(conversation) {
    const head = conversation.head;
    if (!conversation.loaded || (conversation.unread === 0 && conversation.mySeen >= head)) return;
    const news = conversation.unread > 0;
    conversation.mySeen = Math.max(conversation.mySeen, head);
    conversation.unread = 0;
    if (conversation.isRoom) this.memory.setRoom(conversation.title, { seen: head });
    this.client.seen(conversation.name, head);
    if (news) this.emit("list");
  }

  setDraft(conversation, text) {
    const had = conversation.draft !== "";
    conversation.draft = text;
    this.memory.setDraft(conversation.name, text);
    if (had !== (text !== "")) this.emit("list");
  }

  send(conversation, content) {
    // Whether it was kept or refused is told by the events of the outbox.
    this.client.send(conversation.name, content).catch(() => {});
  }

  #sorted(which, order) {
    return [...this.conversations.values()].filter(which).sort(order);
  }

  /** Enter what one was in, or looks at, and is not in yet. */
  async #enterAll() {
    const names = new Set(Object.keys(this.memory.rooms).map((name) => `#${name}`));
    if (this.current !== null) names.add(this.current);
    await Promise.all([...names].map((name) => this.#enter(this.conversation(name))));
  }

  async #enter(conversation) {
    if (conversation.loaded || conversation.joining || conversation.putOut || this.client.state !== "connected") return;
    try {
      if (conversation.isRoom) await this.join(conversation.title, this.memory.rooms[conversation.title]);
      else await this.#reload(conversation);
    } catch (error) {
      if (conversation.gate === null && !error.retryable && error.code !== "closed") this.emit("failed", error);
    }
  }

  #joined(conversation, { messages, head, grant, role = null }) {
    const known = this.memory.rooms[conversation.title];
    this.memory.setRoom(conversation.title, { grant, seen: known?.seen ?? head });
    conversation.mySeen = Math.max(conversation.mySeen, this.memory.rooms[conversation.title].seen);
    Object.assign(conversation, { grantLocks: Boolean(grant), role });
    this.#begin(conversation, messages);
    conversation.recount();
    this.emit("list");
    // Where the others are in it is told with a resume, and what it missed is nothing.
    const asked = { rooms: { [conversation.title]: head }, grants: grant ? { [conversation.title]: grant } : {} };
    this.client.request("resume", asked, { repeat: true }).catch(() => {});
  }

  #begin(conversation, messages) {
    conversation.pending = this.client.outbox.filter(({ place }) => place === conversation.name);
    conversation.begin(messages);
  }

  async #reload(conversation) {
    const page = await this.client.history(conversation.name, { limit: PAGE });
    this.#begin(conversation, page.items);
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
    if (current && !current.isRoom) this.#enter(current);
    this.emit("list");
  }

  #forget(name) {
    this.conversations.delete(name);
    if (this.current === name) this.open(null);
    this.emit("list");
  }

  #changed(conversation, what) {
    this.emit("conversation", { name: conversation.name, what });
  }

  #listen() {
    const { client } = this;
    client.on("message", (message) => this.#message(message));
    client.on("deleted", ({ place, id }) => this.#in(place, (one) => one.remove(id)));
    client.on("cleared", ({ place, seq }) => this.#in(place, (one) => one.clear(seq)));
    client.on("outbox", (entry) => this.#in(entry.place, (one) => one.setPending(entry)));
    client.on("seen", ({ place, user, seq }) => this.#in(place, (one) => one.seen(user, seq), "seen"));
    client.on("typing", ({ place, users }) => this.#in(place, (one) => { one.typing = users; }, "typing"));
    client.on("chats", ({ chats }) => this.#chats(chats));
    client.on("chat", ({ place }) => this.#in(place, () => {}));
    client.on("chatDeleted", ({ place }) => this.#forget(place));
    client.on("reset", ({ place }) => this.#reload(this.conversation(place))
      .catch((error) => this.emit("failed", error)));
    client.on("lost", ({ place, ...error }) => this.#in(place, (one) => {
      Object.assign(one, { loaded: false, gate: error });
      if (one.putOut) this.memory.setRoom(one.title, null); // it takes a click to go back
    }, "gate"));
    client.on("user", ({ username }) => {
      this.mine.add(username);
      this.emit("list");
    });
    for (const type of Object.keys(RULE_LINES)) client.on(type, (event) => this.#ruled(type, event));
    client.on("online", ({ users }) => {
      this.online = new Set(users);
      this.emit("list");
    });
    client.on("state", ({ state, again }) => state === "connected" && again && this.#enterAll());
    client.on("error", (error) => this.emit("failed", error));
  }

  #in(place, change, what = "messages") {
    const conversation = this.conversation(place);
    change(conversation);
    this.#changed(conversation, what);
    this.emit("list");
  }

  /** Somebody looked after a room: a line says so, and it may change what one may do. */
  #ruled(type, { place, seq, ...facts }) {
    const called = (user) => (this.mine.has(user) ? "you" : user);
    const words = RULE_LINES[type](called, facts);
    this.#in(place, (one) => {
      one.note(seq, facts.by, words[0].toUpperCase() + words.slice(1));
      if (type === "moderatorChanged" && this.mine.has(facts.user)) one.role = facts.moderator ? "moderator" : null;
      if (type === "passwordChanged") one.grantLocks = facts.protected;
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
