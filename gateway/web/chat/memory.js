/** A user's rooms, drafts and settings in this browser. Without storage they last as long as the page. */

const NAME = "parley/name";

/** Storage that lasts as long as the page. */
class TemporaryStorage extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => this.set(key, value);
  removeItem = (key) => this.delete(key);
}

/** `localStorage`, or null if the browser does not allow it. */
export function storage() {
  try {
    localStorage.setItem("parley/probe", "1");
    localStorage.removeItem("parley/probe");
    return localStorage;
  } catch {
    return null;
  }
}

export class Memory {
  #storage;
  #prefix;

  /** `storage`: null for data that lasts as long as the page. */
  constructor(storage, user) {
    this.#storage = storage ?? new TemporaryStorage();
    this.#prefix = `parley/user/${user}/`;
  }

  /** The user's name: of this window, or else of the last window in which a user signed in. */
  static name(storage) {
    return storage && (sessionStorage.getItem(NAME) ?? storage.getItem(NAME));
  }

  static setName(storage, name) {
    for (const store of storage ? [storage, sessionStorage] : []) {
      if (name === null) store.removeItem(NAME);
      else store.setItem(NAME, name);
    }
  }

  /** The user's rooms: {name: {grant?, seen}}. */
  get rooms() {
    return this.#read("rooms", {});
  }

  setRoom(name, facts) {
    const rooms = this.rooms;
    if (facts === null) delete rooms[name];
    else rooms[name] = { ...rooms[name], ...facts };
    this.#write("rooms", rooms);
  }

  draft(place) {
    return this.#read(`draft/${place}`, "");
  }

  setDraft(place, text) {
    this.#write(`draft/${place}`, text || undefined);
  }

  get notify() {
    return this.#read("notify", false);
  }

  set notify(wanted) {
    this.#write("notify", wanted);
  }

  #read(key, fallback) {
    try {
      return JSON.parse(this.#storage.getItem(this.#prefix + key) ?? "null") ?? fallback;
    } catch {
      return fallback; // written by another program, or damaged
    }
  }

  #write(key, value) {
    try {
      if (value === undefined) this.#storage.removeItem(this.#prefix + key);
      else this.#storage.setItem(this.#prefix + key, JSON.stringify(value));
    } catch {
      // The storage is full. What is lost with the page is no message.
    }
  }
}
