/** Messages on their way out, in order; with a storage they survive the end of the page. */

import { ParleyError } from "./support.js";

export class Outbox {
  entries = [];
  #storage;
  #prefix = null; // not known yet
  #failed;
  #counter = 0;

  /** `storage`: as `localStorage`, or null. `failed(error)`: what to do when it is full. */
  constructor(storage, failed) {
    this.#storage = storage;
    this.#failed = failed;
  }

  /** It is known whose it is: keep it under a prefix, and take what was kept there before. */
  open(prefix) {
    this.#prefix = prefix;
    if (!this.#storage) return;
    const written = this.entries;
    this.entries = [];
    this.#load();
    this.entries.push(...written);
    for (const entry of written) {
      entry.key = prefix + entry.key;
      this.save(entry);
    }
  }

  #load() {
    const storage = this.#storage;
    const keys = Array.from({ length: storage.length }, (_, n) => storage.key(n));
    for (const key of keys.filter((key) => key?.startsWith(this.#prefix)).sort()) {
      try {
        const entry = JSON.parse(storage.getItem(key));
        // It may have been accepted before this page began: the server is asked to look.
        this.entries.push({ ...entry, key, state: entry.error ? "failed" : "waiting", tried: true });
      } catch {
        storage.removeItem(key); // cut off, or not ours
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
      state: "waiting", tried: false, id: null, seq: null, error: null, failures: 0,
    };
    this.entries.push(entry);
    this.save(entry);
    return entry;
  }

  save({ key, clientMsgId, place, content, createdAt, id, seq, error }) {
    if (this.#prefix === null) return;
    const kept = { clientMsgId, place, content, createdAt, id, seq, error, failures: 0 };
    try {
      this.#storage?.setItem(key, JSON.stringify(kept));
    } catch (full) {
      const message = `what waits to be sent would not survive a reload: ${full.message}`;
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

/** An entry as the application sees it; `echoed`: it came back as a message already. */
export function shown({ clientMsgId, place, content, createdAt, state, id, seq, error, echo }) {
  return { clientMsgId, place, content, createdAt, state, id, seq, error, echoed: Boolean(echo) };
}
