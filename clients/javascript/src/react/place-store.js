/** The messages of a room or a direct chat, and who types there. */

import { merge, withCleared, withDeleted } from "./message-list.js";
import { Store, askUntilAnswered } from "./store.js";

/** Messages that are kept beside those that `loadOlder` read. */
const MAX_LIVE_MESSAGES = 1_000;

const INITIAL = {
  status: "loading", error: null, messages: [], pending: [], typing: [], seen: {}, hasOlder: false, isLoadingOlder: false,
  role: null,
};

/** Base class: `RoomStore` and `DirectChatStore` say how a place is opened. */
export class PlaceStore extends Store {
  client;
  place;
  #maxMessages = MAX_LIVE_MESSAGES;
  /** The seq before which older messages are read; null if there are none. */
  #older = null;
  #accepted = new Map(); // id -> entry of the outbox whose message has not come yet
  /** What came since a page was asked for: the page may be older than that. */
  #changes = null;

  constructor(client, place) {
    super(INITIAL);
    this.client = client;
    this.place = place;
  }

  start(run) {
    const on = (type, take) => this.onStop(this.client.on(type, (event) => event.place === this.place && take(event)));
    on("message", (message) => this.#message(message));
    on("deleted", ({ id }) => this.#change((messages) => withDeleted(messages, id)));
    on("cleared", ({ seq }) => this.#change((messages) => withCleared(messages, seq)));
    on("typing", ({ users }) => this.set({ typing: users }));
    on("seen", ({ user, seq }) => this.set({ seen: { ...this.getSnapshot().seen, [user]: seq } }));
    on("moderatorChanged", ({ user, moderator }) => user === this.client.username && this.set({ role: moderator ? "moderator" : null }));
    on("outbox", () => this.#showPending());
    on("accepted", (entry) => this.#keepAccepted(entry));
    on("reset", () => this.#load(run, () => this.client.history(this.place)));
    on("lost", ({ place: _, ...error }) => this.set({ status: "lost", error, typing: [] }));
    this.#showPending();
    this.load(run);
  }

  stop() {
    this.#accepted.clear();
    this.#maxMessages = MAX_LIVE_MESSAGES;
    this.#changes = null;
  }

  /** Open the place, and show its newest messages. */
  load(run = this.run) {
    this.set({ status: "loading", error: null });
    return this.#load(run, () => this.open(run));
  }

  async #load(run, ask) {
    this.#changes = [];
    try {
      const { items, role, next } = await askUntilAnswered(this.client, ask, () => this.run === run);
      if (this.run !== run) return;
      const messages = (this.#changes ?? []).reduce((list, change) => change(list), items);
      this.#older = next;
      this.set({ status: "ready", error: null, messages, hasOlder: next !== null, ...(role !== undefined && { role }) });
      this.#forgetShown();
    } catch (error) {
      if (this.run === run) this.set({ status: "failed", error });
    } finally {
      if (this.run === run) this.#changes = null;
    }
  }

  #change(change) {
    this.#changes?.push(change);
    this.set({ messages: change(this.getSnapshot().messages) });
  }

  #message({ missed, clientMsgId, ...message }) {
    this.#change((messages) => merge(messages, [message]));
    const { messages } = this.getSnapshot();
    // A page that is open for weeks keeps the newest; loadOlder reads the others again.
    if (messages.length > this.#maxMessages) {
      const newest = messages.slice(-this.#maxMessages);
      this.#older = newest[0].seq;
      this.set({ messages: newest, hasOlder: true });
    }
    this.#forgetShown();
  }

  /** Between its reply and its event, an own message would be shown nowhere: it stays pending. */
  #keepAccepted(entry) {
    this.#accepted.set(entry.id, entry);
    this.#forgetShown();
  }

  #forgetShown() {
    const { messages } = this.getSnapshot();
    for (const id of this.#accepted.keys()) if (messages.some((message) => message.id === id)) this.#accepted.delete(id);
    this.#showPending();
  }

  #showPending() {
    const waiting = this.client.outbox.filter(({ place, state, echoed }) => place === this.place && state !== "accepted" && !echoed);
    this.set({ pending: [...this.#accepted.values(), ...waiting] });
  }

  // ---- what components call

  send = (content) => this.client.send(this.place, content);

  resend = (clientMsgId) => this.client.resend(clientMsgId);

  discard = (clientMsgId) => this.client.discard(clientMsgId);

  deleteMessage = (id) => this.client.deleteMessage(id);

  notifyTyping = () => this.client.typing(this.place);

  markSeen = (seq = this.getSnapshot().messages.at(-1)?.seq ?? 0) => {
    this.client.seen(this.place, seq);
    this.wasSeen(seq);
  };

  wasSeen() {}

  loadOlder = async () => {
    const { run } = this;
    const { messages, hasOlder, isLoadingOlder } = this.getSnapshot();
    if (!hasOlder || isLoadingOlder) return;
    this.set({ isLoadingOlder: true });
    try {
      const { items, partial, next } = await this.client.history(this.place, { before: this.#older });
      if (this.run !== run) return;
      this.#maxMessages += items.length;
      const older = items.filter(({ seq }) => seq < (messages[0]?.seq ?? Infinity));
      // A partial page may lack messages: there may be older ones although none came.
      if (!partial || next !== null) this.#older = next;
      this.set({ messages: merge(older, this.getSnapshot().messages), hasOlder: this.#older !== null });
    } finally {
      if (this.run === run) this.set({ isLoadingOlder: false });
    }
  };
}

export class RoomStore extends PlaceStore {
  /** How the room is entered, and whether it is left when no component shows it any more. */
  options = {};
  #name;
  #isInside = false;

  constructor(client, name) {
    super(client, `#${name}`);
    this.#name = name;
  }

  async open() {
    const { password, grant } = this.options;
    const { messages, role, next } = await this.client.join(this.#name, { password, grant });
    this.#isInside = true;
    return { items: messages, role: role ?? null, next };
  }

  join = (keys = {}) => {
    this.options = { ...this.options, ...keys };
    return this.load();
  };

  stop() {
    super.stop();
    if (this.#isInside && this.options.leaveOnUnmount !== false) this.client.leave(this.#name).catch(() => {});
    this.#isInside = false;
  }
}

export class DirectChatStore extends PlaceStore {
  #online;
  #chats;

  constructor(client, user, online, chats) {
    super(client, `@${user}`);
    this.#online = online;
    this.#chats = chats;
  }

  start(run) {
    this.onStop(this.#online.subscribe(() => {}));
    super.start(run);
  }

  async open() {
    await this.#online.chats; // only then the client knows the chat
    return this.client.history(this.place);
  }

  wasSeen(seq) {
    this.#chats.markSeen(this.place, seq);
  }
}
