/** One room or direct chat as this client has seen it: each event once, in order. No I/O. */

/** Messages whose sender is remembered. */
const MOST_KNOWN = 2_000;

export class Place {
  chatId = null;
  grant = undefined;
  password = undefined;
  /** The seq of the last event that was told; null until it was entered. */
  last = null;
  /** Places in it of which it is not known whether one can go on from there; none while all is well. */
  doubts = [];
  /** Its events come by the present connection. */
  inside = false;
  /** The server is asked for what was missed; what was deleted since is left out of that. */
  replaying = false;
  /** Live events wait for a page of history that belongs before them. */
  holding = false;
  /** Messages that were missed, while it catches up. */
  missed = 0;
  /** How far it was seen, and how far the server knows of it. */
  seen = 0;
  seenTold = 0;
  /** Who is typing: name -> timer. */
  typists = new Map();
  typedAt = 0;
  #waiting = [];
  #known = new Map(); // id -> {seq, sender}

  constructor(name) {
    this.name = name;
    this.room = name[0] === "#" ? name.slice(1) : null;
    this.user = name[0] === "@" ? name.slice(1) : null;
  }

  /** How requests name it. */
  get address() {
    return this.room === null ? { chatId: this.chatId } : { room: this.room };
  }

  /** Take an event of the log: "show" it now, it is "old", or it has to "wait" for others. */
  take(event) {
    if (this.last !== null && event.seq <= this.last) return "old";
    const hole = this.last !== null && event.prev > this.last;
    if (this.holding || hole) {
      this.#waiting.push(event);
      return "wait";
    }
    this.last = event.seq;
    return "show";
  }

  /** Where one is now, something may be missing, or lost. */
  doubt() {
    if (this.last !== null) this.doubts.push(this.last);
  }

  /** A resume from `since` went well that was asked after so many doubts; those further on stay. */
  settled(since, doubts) {
    this.doubts = this.doubts.filter((seq, n) => seq > since || n >= doubts);
  }

  /** Let go of the events that waited: those that are news, in order. */
  release() {
    this.holding = false;
    const events = this.#waiting.sort((a, b) => a.seq - b.seq);
    this.#waiting = [];
    return events.filter((event) => {
      const news = event.seq > (this.last ?? 0);
      if (news) this.last = event.seq;
      return news;
    });
  }

  /** Its events do not come any more; those that wait come again. */
  connectionLost() {
    this.inside = this.replaying = this.holding = false;
    this.#waiting = [];
    this.missed = this.seenTold = 0;
    this.doubts = [...new Set(this.doubts)]; // no answer is on its way to any of them
  }

  /** Take note of a message that was shown. */
  remember({ id, seq, sender }) {
    this.#known.set(id, { seq, sender });
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value);
  }

  /** The seq and the sender of a message that was shown. */
  knows(id) {
    return this.#known.get(id);
  }
}
