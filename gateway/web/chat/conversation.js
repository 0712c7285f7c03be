/** The page's state of one room or chat: its messages, and how far they were seen. */

/** Messages kept of a conversation that is not open. */
const MAX_IDLE_MESSAGES = 400;

export class Conversation {
  messages = []; // by seq, without gaps from the first to the last
  pending = []; // entries of the outbox that have not come back as messages yet
  loaded = false;
  older = null; // the seq before which older messages are read; null if there are none
  loading = false;
  partial = false; // the server could not reach further back
  unread = 0;
  unreadFrom = null; // the seq of the message below the line "New"
  typing = [];
  draft = "";
  gate = null; // why the user is not in the room: {code, message, reason}
  othersSeen = 0; // the last seq that another user has seen
  seenBy = new Map();
  mySeen = 0;
  preview = null;
  grantLocks = false; // the user joined with a password
  role = null; // "owner" or "moderator" of a room

  /** `mine`: the names that the user has or had; a guest's name changes. */
  constructor(name, mine) {
    this.mine = mine;
    this.rename(name);
  }

  rename(name) {
    this.name = name;
    this.title = name.slice(1);
    this.isRoom = name[0] === "#";
  }

  /** True if there are no messages before the first one here. */
  get complete() {
    return this.loaded && this.older === null;
  }

  /** What the page calls it. */
  get label() {
    return this.isNotes ? "Notes to yourself" : this.title;
  }

  /** True for the chat of the user with themselves. */
  get isNotes() {
    return !this.isRoom && this.mine.has(this.title);
  }

  get locked() {
    return this.grantLocks || (this.gate !== null && !this.wasRemoved && !this.isBanned);
  }

  /** True if the user knows that they are banned: from an open room, or because they were in it. */
  get isBanned() {
    return this.gate?.reason === "banned";
  }

  /** True if the user was kicked or banned. */
  get wasRemoved() {
    return this.gate?.code === "kicked" || this.gate?.code === "banned";
  }

  /** True after a kick, and after a ban from a locked room, whose end the server tells nobody: the user joins again by hand. */
  get waitsForUser() {
    return this.wasRemoved && (this.grantLocks || !this.isBanned);
  }

  get head() {
    return this.messages.at(-1)?.seq ?? 0;
  }

  /** All messages and pending entries, in order. */
  get items() {
    return this.pending.length ? [...this.messages, ...this.pending] : this.messages;
  }

  get last() {
    return this.pending.at(-1) ?? this.messages.findLast(({ event }) => !event) ?? this.preview;
  }

  isMine(item) {
    return item.sender === undefined || this.mine.has(item.sender);
  }

  /** Start with a page of history that reaches the head; `older` is where the page before it ends. */
  begin(page, older) {
    this.messages = page.filter((message) => !message.deleted);
    this.older = older;
    this.loaded = true;
    this.gate = null;
    for (const message of this.messages) this.#noteSeen(message);
    this.#settlePending();
  }

  /** Put an older page before the first message; return how many messages it added. */
  prepend(page) {
    const first = this.messages[0]?.seq ?? Infinity;
    const older = page.filter((message) => !message.deleted && message.seq < first);
    this.messages = [...older, ...this.messages];
    for (const message of older) this.#noteSeen(message);
    return older.length;
  }

  /** Add a live message; return true if it is new. */
  add(message) {
    this.#noteSeen(message);
    if (!this.loaded) {
      this.preview = message;
      return true;
    }
    let at = this.messages.length;
    while (at > 0 && this.messages[at - 1].seq > message.seq) at--;
    if (this.messages[at - 1]?.seq === message.seq) return false;
    this.messages.splice(at, 0, message);
    this.#settlePending();
    return true;
  }

  /** Add a line about a change of the room, at `seq` between the messages. */
  note(seq, sender, words) {
    const at = this.last?.createdAt ?? new Date().toISOString(); // the event has no time of its own
    if (this.loaded) this.add({ event: true, id: `event-${seq}`, seq, sender, content: words, createdAt: at });
  }

  remove(id) {
    const at = this.messages.findIndex((message) => message.id === id);
    if (at >= 0) this.messages.splice(at, 1);
    if (this.preview?.id === id) this.preview = null;
  }

  /** Drop all messages up to a seq. */
  clear(seq) {
    this.messages = this.messages.filter((message) => message.seq > seq);
    this.preview = null;
    this.older = null;
    this.unread = 0;
  }

  /** Add, update or drop an entry of the outbox. */
  setPending(entry) {
    const at = this.pending.findIndex((other) => other.clientMsgId === entry.clientMsgId);
    if (entry.state === "discarded") {
      if (at >= 0) this.pending.splice(at, 1);
      return;
    }
    if (at >= 0) this.pending[at] = entry;
    // An entry that is stored is here as a message already, or comes as one: it is not pending.
    else if (entry.state !== "durable") this.pending.push(entry);
    const message = this.messages.find((known) => known.id === entry.id);
    if (message) message.clientMsgId ??= entry.clientMsgId;
    if (message && entry.state !== "durable") message.stored = false;
    if (message && entry.state === "durable") delete message.stored;
    this.#settlePending();
  }

  /** Drop the pending entries that have come back as messages; a message takes the entry's key. */
  #settlePending() {
    if (!this.pending.length) return;
    const ids = new Set(this.pending.map((entry) => entry.clientMsgId));
    const arrived = new Set();
    for (let n = this.messages.length - 1; n >= 0 && n >= this.messages.length - 300; n--) {
      const message = this.messages[n];
      const entry = this.pending.find((candidate) =>
        candidate.clientMsgId === message.clientMsgId || (candidate.id !== null && candidate.id === message.id));
      if (!entry || arrived.has(entry.clientMsgId)) continue;
      arrived.add(entry.clientMsgId);
      message.clientMsgId = entry.clientMsgId;
      if (entry.state !== "durable") message.stored = false;
      if (arrived.size === ids.size) break;
    }
    this.pending = this.pending.filter((entry) => !arrived.has(entry.clientMsgId));
  }

  seen(user, seq) {
    if (this.mine.has(user)) {
      this.mySeen = Math.max(this.mySeen, seq);
      if (this.loaded) this.recount();
      return;
    }
    this.seenBy.set(user, Math.max(this.seenBy.get(user) ?? 0, seq));
    this.othersSeen = Math.max(this.othersSeen, seq);
  }

  /** Count the messages of others after the last one that the user has seen. */
  recount() {
    this.unread = 0;
    for (let n = this.messages.length - 1; n >= 0 && this.messages[n].seq > this.mySeen; n--) {
      if (!this.isMine(this.messages[n]) && !this.messages[n].event) this.unread++;
    }
  }

  /** Draw the line "New" above the first unread message. */
  markUnread() {
    let left = this.unread;
    this.unreadFrom = null;
    for (let n = this.messages.length - 1; n >= 0 && left > 0; n--) {
      if (this.isMine(this.messages[n]) || this.messages[n].event) continue;
      this.unreadFrom = this.messages[n].seq;
      left--;
    }
  }

  /** Drop older messages of a conversation that is not open any more. */
  trim() {
    if (this.messages.length <= MAX_IDLE_MESSAGES) return;
    this.messages = this.messages.slice(-MAX_IDLE_MESSAGES / 2);
    this.older = this.messages[0].seq;
  }

  /** The state of the user's own message: "waiting", "failed", "sent", "stored" or "seen". */
  stateOf(item) {
    if (item.state === "failed") return "failed";
    if (item.state !== undefined && item.id === null) return "waiting";
    if (item.seq <= this.othersSeen) return "seen";
    return item.state !== undefined || item.stored === false ? "sent" : "stored";
  }

  #noteSeen(message) {
    if (message.seen && this.isMine(message)) this.othersSeen = Math.max(this.othersSeen, message.seq);
  }
}
