/** A client whose events are kept, and can be waited for. */

import { Parley } from "../../../clients/javascript/src/parley.js";
import { IN_TIME } from "./cluster.js";

const TYPES = ["state", "user", "unauthorized", "message", "deleted", "cleared", "seen", "typing", "online", "chats", "chat",
  "chatDeleted", "renamed", "outbox", "accepted", "durable", "caughtUp", "reset", "lost", "banLifted", "kicked", "banned", "unbanned",
  "moderatorChanged", "passwordChanged", "error", "notice", "other"];

/** What `localStorage` is to a browser. */
export class Storage extends Map {
  get length() {
    return this.size;
  }

  key(n) {
    return [...this.keys()][n] ?? null;
  }

  getItem(key) {
    return this.get(key) ?? null;
  }

  setItem(key, value) {
    this.set(key, String(value));
  }

  removeItem(key) {
    this.delete(key);
  }
}

const all = new Set();

export class Listener {
  events = [];
  #waiting = new Set();

  /** Close every client of a test. */
  static closeAll() {
    for (const { client } of all) client.close();
    all.clear();
  }

  /** `who`: a name, or the options that say who one is. */
  constructor(url, who, options = {}) {
    this.client = new Parley(url, { ...(typeof who === "string" ? { username: who } : who), ...options });
    all.add(this);
    for (const type of TYPES) {
      this.client.on(type, (event) => {
        this.events.push({ type, event });
        for (const look of [...this.#waiting]) look();
      });
    }
  }

  static async connected(url, who, options) {
    const listener = new Listener(url, who, options);
    await listener.client.connect();
    return listener;
  }

  all(type, wanted = () => true) {
    return this.events.filter((one) => one.type === type && wanted(one.event)).map(({ event }) => event);
  }

  /** The texts that came in a place, in order. */
  texts(place) {
    return this.all("message", (message) => message.place === place).map(({ content }) => content);
  }

  /** Wait until `look()` is true, which is asked at every event; returns what it is. */
  until(look, what = "what was waited for") {
    return new Promise((done, fail) => {
      const ask = () => {
        const found = look();
        if (!found) return;
        this.#waiting.delete(ask);
        clearTimeout(timer);
        done(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(ask);
        const last = this.events.slice(-15).map((one) => JSON.stringify(one)).join("\n");
        fail(new Error(`${this.client.username} did not see ${what}; at last it saw\n${last}`));
      }, IN_TIME);
      this.#waiting.add(ask);
      ask();
    });
  }

  /** Wait for an event; the first there is or will be. */
  next(type, wanted = () => true) {
    return this.until(() => this.all(type, wanted)[0], type);
  }
}
