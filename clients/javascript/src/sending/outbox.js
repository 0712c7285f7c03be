/** Messages that are not sent yet, in order. With a storage they outlive the page. */

import { ParleyError } from "../support/errors.js";
import { checkPlace } from "../support/names.js";

export class Outbox {
  entries = [];
  #storage;
  #prefix = null; // of the storage's keys; null until the user is known
  #failed;
  #counter = 0;

  /** `storage`: like `localStorage`, or null. `failed(error)` is called when it is full. */
  constructor(storage, failed) {
    this.#storage = storage;
    this.#failed = failed;
  }

  /** The user is known: store entries under a prefix, and load those that an earlier page left there. */
  open(prefix) {
    const before = this.#prefix ?? "";
    this.#prefix = prefix;
    if (!this.#storage) return;
    const written = this.entries;
    this.entries = [];
    this.#load();
    this.entries.push(...written);
    for (const entry of written) {
      this.#storage.removeItem(entry.key);
      entry.key = prefix + entry.key.slice(before.length);
      this.save(entry);
    }
  }

  #load() {
    const storage = this.#storage;
    const keys = Array.from({ length: storage.length }, (_, n) => storage.key(n));
    for (const key of keys.filter((key) => key?.startsWith(this.#prefix)).sort()) {
      try {
        const entry = JSON.parse(storage.getItem(key));
        checkPlace(entry.place);
        if (typeof entry.content !== "string") throw new TypeError("a message is a text");
        // It may have been accepted while the earlier page ended: `isTried` asks the server to look.
        this.entries.push({ ...entry, key, state: entry.error ? "failed" : "waiting", isTried: true });
      } catch {
        storage.removeItem(key); // cut off, or not written by this client
      }
    }
  }

  add(place, content, clientMsgId) {
    const now = new Date();
    // Keys sort as the messages were written, also those of another page of the same user.
    const order = [now.getTime(), this.#counter++].map((n) => String(n).padStart(15, "0"));
    const key = `${this.#prefix ?? ""}${order.join(".")}.${clientMsgId}`;
    const entry = {
      key, clientMsgId, place, content, createdAt: now.toISOString(),
      state: "waiting", isTried: false, id: null, seq: null, error: null, failures: 0,
    };
    this.entries.push(entry);
    this.save(entry);
    return entry;
  }

  save({ key, clientMsgId, place, content, createdAt, id, seq, error }) {
    if (this.#prefix === null) return;
    const stored = { clientMsgId, place, content, createdAt, id, seq, error, failures: 0 };
    try {
      this.#storage?.setItem(key, JSON.stringify(stored));
    } catch (full) {
      const message = `unsent messages would not survive a reload of the page: ${full.message}`;
      this.#failed(new ParleyError("storage_full", message));
    }
  }

  remove(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    this.#storage?.removeItem(entry.key);
  }

  of(place) {
    return this.entries.filter((entry) => entry.place === place);
  }

  find(clientMsgId) {
    return this.entries.find((entry) => entry.clientMsgId === clientMsgId);
  }
}

/** An entry as applications see it. `echoed`: it came back as a `message` event already. */
export function publicEntry({ clientMsgId, place, content, createdAt, state, id, seq, error, echoId }) {
  return { clientMsgId, place, content, createdAt, state, id, seq, error, echoed: Boolean(echoId) };
}
