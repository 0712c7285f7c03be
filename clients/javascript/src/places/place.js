/** The log of one room or direct chat as this client has seen it: each event once, in order. No I/O. */

/** Messages whose sender is remembered. */
const MAX_KNOWN_MESSAGES = 2_000;

export class Place {
  chatId = null;
  grant = undefined;
  password = undefined;
  /** The seq of the last event that was emitted; null until the place was entered. */
  last = null;
  /**
   * The positions to resume from, none while nothing is in doubt. There may be several: if a resume
   * from 40 is on its way when the broker restarts, the client has to resume again from where it is
   * by then, say 45. The reply to the first covers what was missing after 40 only.
   */
  resumePoints = [];
  /** The present connection receives its events. */
  isInside = false;
  /** A resume is on its way: what comes now was missed. Messages deleted since are left out of it. */
  isReplaying = false;
  /** Live events wait for a page of history that belongs before them. */
  isBuffering = false;
  /** Messages that were missed, while the client catches up. */
  missed = 0;
  /** How far the user has seen it, and how far the server knows of that. */
  seen = 0;
  seenSent = 0;
  /** Who is typing: name -> timer. */
  typists = new Map();
  typingSentAt = 0;
  #buffer = [];
  #knownMessages = new Map(); // id -> {seq, sender}

  constructor(name) {
    this.rename(name);
  }

  rename(name) {
    this.name = name;
    this.room = name[0] === "#" ? name.slice(1) : null;
    this.user = name[0] === "@" ? name.slice(1) : null;
    return this;
  }

  /** The fields of a request that name it. */
  get address() {
    return this.room === null ? { chatId: this.chatId } : { room: this.room };
  }

  /** Take an entry of the log: "show" it now, it is "old", or it has to "wait" for others. */
  take(entry) {
    if (this.last !== null && entry.seq <= this.last) return "old";
    const isGap = this.last !== null && entry.prev > this.last;
    if (this.isBuffering || isGap) {
      this.#buffer.push(entry);
      return "wait";
    }
    this.last = entry.seq;
    return "show";
  }

  /** Something may be missing after the present position, or what came last may be void. */
  addResumePoint() {
    if (this.last !== null) this.resumePoints.push(this.last);
  }

  /** A resume from `since` was answered. `count`: the points there were when it was asked; later ones stay. */
  confirmResumed(since, count) {
    this.resumePoints = this.resumePoints.filter((seq, n) => seq > since || n >= count);
  }

  /** The first entry that waits and is new. */
  nextWaiting() {
    return this.#waiting()[0];
  }

  /** Returns the entries that waited and can be shown without a gap, in order. */
  releaseNext() {
    const shown = [];
    for (const entry of this.#waiting()) {
      if (entry.prev > this.last) break;
      if (entry.seq <= this.last) continue;
      this.last = entry.seq;
      shown.push(entry);
    }
    return shown;
  }

  #waiting() {
    this.#buffer = this.#buffer.filter(({ seq }) => seq > this.last).sort((a, b) => a.seq - b.seq);
    return this.#buffer;
  }

  /** Stop buffering. Returns the entries that waited and are new, in order. */
  release() {
    this.isBuffering = false;
    const entries = this.#buffer.sort((a, b) => a.seq - b.seq);
    this.#buffer = [];
    return entries.filter((entry) => {
      const isNew = entry.seq > (this.last ?? 0);
      if (isNew) this.last = entry.seq;
      return isNew;
    });
  }

  /** No more events come. Those that wait are dropped: the next resume brings them again. */
  connectionLost() {
    this.isInside = this.isReplaying = this.isBuffering = false;
    this.#buffer = [];
    this.missed = this.seenSent = 0;
    this.resumePoints = [...new Set(this.resumePoints)]; // no reply is on its way to any of them
  }

  /** Remember a message that was emitted. */
  remember({ id, seq, sender }) {
    this.#knownMessages.set(id, { seq, sender });
    if (this.#knownMessages.size > MAX_KNOWN_MESSAGES) this.#knownMessages.delete(this.#knownMessages.keys().next().value);
  }

  /** The seq and the sender of a message that was emitted. */
  find(id) {
    return this.#knownMessages.get(id);
  }
}
