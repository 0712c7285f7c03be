/** What the page knows of one place: its messages, and what one has of them. */

/** Messages kept of a conversation that nobody looks at. */
const MOST_IDLE = 400;

export class Conversation {
  messages = []; // by seq, without holes above the first
  pending = []; // entries of the outbox that are no messages yet
  loaded = false;
  complete = false; // the first message is the first there is
  loading = false;
  partial = false; // the server could not reach further back
  unread = 0;
  unreadFrom = null; // the seq below the line "New"
  typing = [];
  draft = "";
  gate = null; // why one is not inside: {code, message}
  othersSeen = 0; // how far anybody else has seen
  seenBy = new Map();
  mySeen = 0;
  preview = null;
  grantLocks = false; // it was entered by a password
  role = null; // "owner" or "moderator" of a room

  /** `mine`: the names one has or had; a guest's change. */
  constructor(name, mine) {
    this.name = name;
    this.mine = mine;
    this.title = name.slice(1);
    this.isRoom = name[0] === "#";
  }

  get locked() {
    return this.grantLocks || this.gate !== null;
  }

  /** Whether one was in the room until somebody put one out. */
  get putOut() {
    return this.gate?.code === "kicked" || this.gate?.code === "banned";
  }

  get head() {
    return this.messages.at(-1)?.seq ?? 0;
  }

  /** Everything to be shown, in order. */
  get items() {
    return this.pending.length ? [...this.messages, ...this.pending] : this.messages;
  }

  get last() {
    return this.pending.at(-1) ?? this.messages.findLast(({ event }) => !event) ?? this.preview;
  }

  isMine(item) {
    return item.sender === undefined || this.mine.has(item.sender);
  }

  /** Begin with a page that reaches the head. */
  begin(page) {
    this.messages = page.filter((message) => !message.deleted);
    this.complete = page.length === 0;
    this.loaded = true;
    this.gate = null;
    for (const message of this.messages) this.#learn(message);
    this.#settlePending();
  }

  /** Put an older page in front; returns how many messages it added. */
  prepend(page) {
    const first = this.messages[0]?.seq ?? Infinity;
    const older = page.filter((message) => !message.deleted && message.seq < first);
    this.messages = [...older, ...this.messages];
    for (const message of older) this.#learn(message);
    return older.length;
  }

  /** Take a live message; returns whether it is news. */
  add(message) {
    this.#learn(message);
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

  /** Take note of something that happened between messages; `seq` is its place among them. */
  note(seq, sender, words) {
    const at = this.last?.createdAt ?? new Date().toISOString(); // it does not say itself
    if (this.loaded) this.add({ event: true, id: `event-${seq}`, seq, sender, content: words, createdAt: at });
  }

  remove(id) {
    const at = this.messages.findIndex((message) => message.id === id);
    if (at >= 0) this.messages.splice(at, 1);
    if (this.preview?.id === id) this.preview = null;
  }

  /** Everything before a seq is deleted. */
  clear(seq) {
    this.messages = this.messages.filter((message) => message.seq > seq);
    this.preview = null;
    this.complete = true;
    this.unread = 0;
  }

  /** What waits to be sent, or was refused. */
  setPending(entry) {
    const at = this.pending.findIndex((other) => other.clientMsgId === entry.clientMsgId);
    if (entry.state === "discarded") {
      if (at >= 0) this.pending.splice(at, 1);
      return;
    }
    if (at >= 0) this.pending[at] = entry;
    // What was accepted is on its way here as a message, whoever is told of it first.
    else if (entry.state !== "durable") this.pending.push(entry);
    const message = this.messages.find((known) => known.id === entry.id);
    if (message) message.clientMsgId ??= entry.clientMsgId;
    if (message && entry.state !== "durable") message.stored = false;
    if (message && entry.state === "durable") delete message.stored;
    this.#settlePending();
  }

  /** An entry of the outbox that has come back as a message is that message. */
  #settlePending() {
    if (!this.pending.length) return;
    const ids = new Set(this.pending.map((entry) => entry.clientMsgId));
    const arrived = new Set();
    for (let n = this.messages.length - 1; n >= 0 && n >= this.messages.length - 300; n--) {
      const message = this.messages[n];
      const entry = this.pending.find((one) =>
        one.clientMsgId === message.clientMsgId || (one.id !== null && one.id === message.id));
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

  /** Count what others said past one's own place. */
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

  /** Whoever looks at another conversation does not need all of this one. */
  trim() {
    if (this.messages.length <= MOST_IDLE) return;
    this.messages = this.messages.slice(-MOST_IDLE / 2);
    this.complete = false;
  }

  /** "waiting", "failed", "sent", "stored" or "seen"; of one's own. */
  stateOf(item) {
    if (item.state === "failed") return "failed";
    if (item.state !== undefined && item.id === null) return "waiting";
    if (item.seq <= this.othersSeen) return "seen";
    return item.state !== undefined || item.stored === false ? "sent" : "stored";
  }

  #learn(message) {
    if (message.seen && this.isMine(message)) this.othersSeen = Math.max(this.othersSeen, message.seq);
  }
}
