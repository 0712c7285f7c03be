/** What this browser remembers of a user: rooms, drafts, settings. Works without, too. */

const NAME = "parley/name";

/** What is forgotten with the page. */
class Passing extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => this.set(key, value);
  removeItem = (key) => this.delete(key);
}

/** `localStorage`, or null where the browser has none for us. */
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

  /** Without a storage it remembers for as long as the page lasts. */
  constructor(storage, user) {
    this.#storage = storage ?? new Passing();
    this.#prefix = `parley/user/${user}/`;
  }

  /** Who one is: in this window, or else in the last one where somebody signed in. */
  static name(storage) {
    return storage && (sessionStorage.getItem(NAME) ?? storage.getItem(NAME));
  }

  static setName(storage, name) {
    for (const kept of storage ? [storage, sessionStorage] : []) {
      if (name === null) kept.removeItem(NAME);
      else kept.setItem(NAME, name);
    }
  }

  /** The rooms one is in: {name: {grant?, seen}}. */
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

  #read(key, otherwise) {
    try {
      return JSON.parse(this.#storage.getItem(this.#prefix + key) ?? "null") ?? otherwise;
    } catch {
      return otherwise; // another program's, or cut off
    }
  }

  #write(key, value) {
    try {
      if (value === undefined) this.#storage.removeItem(this.#prefix + key);
      else this.#storage.setItem(this.#prefix + key, JSON.stringify(value));
    } catch {
      // Full: it is forgotten with the page, and nothing that was said depends on it.
    }
  }
}
