/** What the other modules of the client share: errors, events, waiting. */

/**
 * What the server refuses, and what could not be asked. `retryable`: later it may be done, not
 * before `retryAfterMs`.
 */
export class ParleyError extends Error {
  constructor(code, message, retryable = false, retryAfterMs = 0) {
    super(message);
    this.name = "ParleyError";
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

export const connectionLost = () =>
  new ParleyError("connection_lost", "the connection was lost", true);

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Milliseconds to pause before an attempt; full jitter, so that many clients spread out. */
export const pause = (attempt, first, longest) =>
  Math.random() * Math.min(longest, first * 2 ** Math.min(attempt, 16));

/** A promise with its `resolve` and `reject`, and whether it is `settled`. */
export function deferred() {
  const self = { settled: false };
  self.promise = new Promise((resolve, reject) => {
    self.resolve = (value) => { self.settled = true; resolve(value); };
    self.reject = (error) => { self.settled = true; reject(error); };
  });
  self.promise.catch(() => {}); // who does not wait for it hears of it by events
  return self;
}

/** What a promise becomes, or `error` when it does not settle within `ms` milliseconds. */
export function inTime(promise, ms, error) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(reject, Math.max(ms, 0), error); });
  promise.catch(() => {}); // it may be refused after nobody waits any more
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The types of events that this client tells; parley.d.ts says what each of them holds. */
export const TYPES = new Set(["state", "user", "unauthorized", "message", "deleted", "cleared", "seen", "typing",
  "online", "outbox", "accepted", "durable", "caughtUp", "reset", "kicked", "banned", "unbanned", "moderatorChanged",
  "passwordChanged", "lost", "chat", "chats", "chatDeleted", "notice", "error", "other"]);

/** Tells listeners of events, by type. */
export class Emitter {
  #listeners = new Map();

  /** Call `listener` for each event of a type; returns what ends that. */
  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => this.#listeners.get(type).delete(listener);
  }

  emit(type, event) {
    for (const listener of this.#listeners.get(type) ?? []) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => { throw error; }); // theirs to see; the others hear all the same
      }
    }
  }
}

/** Refuse what names no place. */
export function checkPlace(name) {
  if (typeof name !== "string" || !/^[#@]./s.test(name)) {
    throw new TypeError(`${name}: a place is "#room" or "@user"`);
  }
}

/** The WebSocket of a server, from its address: http(s)://host:port or ws(s)://host:port/ws. */
export function socketUrl(given) {
  const url = new URL(given, globalThis.location?.href);
  if (url.protocol.startsWith("http")) {
    url.protocol = url.protocol.replace("http", "ws");
    url.pathname = url.pathname.replace(/\/?$/, "/ws");
  }
  if (!url.protocol.startsWith("ws")) throw new TypeError(`${given} is no address of a server`);
  url.search = url.hash = "";
  return url.href;
}

/** A name that nothing else has. */
export function randomId() {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A message of the wire as a message of this client. */
export function said(item) {
  const { id, seq, prev, content = "", createdAt = null, deleted = false, seen } = item;
  const sender = String(item.sender ?? item.senderId ?? "");
  return { id, seq, prev, sender, content, createdAt, deleted, ...(seen !== undefined && { seen }) };
}
