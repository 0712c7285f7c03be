/** Who is typing in each place. */

const TYPING = " is typing...";
/** Milliseconds after its last sign at which typing ends. */
const EXPIRES_AFTER_MS = 3_000;

export class Typists {
  #emit;

  constructor(emit) {
    this.#emit = emit;
  }

  /**
   * Take a `typing` event: "ann is typing...", or "" where nobody is, and all who are typing. An older server does
   * not list them, and its "" says that somebody has stopped. This client's user, in another tab, is left out.
   */
  take(place, text, users, me) {
    if (!place) return;
    if (Array.isArray(users)) return this.#set(place, users.map(String).filter((user) => user !== me));
    const name = text.slice(0, -TYPING.length);
    if (!text.endsWith(TYPING)) {
      if (place.typists.size === 1) this.stopAll(place);
    } else if (name !== me) this.#set(place, [...place.typists.keys(), name], [name]);
  }

  /** These users are typing, and nobody else. The time of `renewed` begins anew. */
  #set(place, users, renewed = users) {
    const before = [...place.typists.keys()];
    for (const name of before) if (!users.includes(name)) this.#remove(place, name);
    for (const name of renewed) {
      clearTimeout(place.typists.get(name));
      place.typists.set(name, setTimeout(() => this.stop(place, name), EXPIRES_AFTER_MS));
    }
    const now = [...place.typists.keys()];
    if (now.length !== before.length || now.some((name, index) => name !== before[index])) this.#changed(place);
  }

  /** These users do not type any more. */
  stop(place, ...names) {
    const stopped = names.filter((name) => place.typists.has(name));
    for (const name of stopped) this.#remove(place, name);
    if (stopped.length) this.#changed(place);
  }

  #remove(place, name) {
    clearTimeout(place.typists.get(name));
    place.typists.delete(name);
  }

  stopAll(place) {
    this.stop(place, ...place.typists.keys());
  }

  #changed(place) {
    this.#emit("typing", { place: place.name, users: [...place.typists.keys()] });
  }
}
