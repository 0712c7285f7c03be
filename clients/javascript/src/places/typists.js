/** Who is typing in each place. The server says by name who begins, but not who ends. */

const TYPING = " is typing...";
/** Milliseconds after its last sign at which typing ends. */
const EXPIRES_AFTER_MS = 3_000;

export class Typists {
  #emit;

  constructor(emit) {
    this.#emit = emit;
  }

  /** Take the text of a `typing` event: "ann is typing...", or "" where somebody has stopped. */
  take(place, text) {
    if (!place) return;
    if (!text.endsWith(TYPING)) {
      if (place.typists.size === 1) this.stop(place, ...place.typists.keys());
      return;
    }
    const name = text.slice(0, -TYPING.length);
    const isKnown = place.typists.has(name);
    clearTimeout(place.typists.get(name));
    place.typists.set(name, setTimeout(() => this.stop(place, name), EXPIRES_AFTER_MS));
    if (!isKnown) this.#changed(place);
  }

  /** These users do not type any more. */
  stop(place, ...names) {
    const stopped = names.filter((name) => place.typists.has(name));
    for (const name of stopped) {
      clearTimeout(place.typists.get(name));
      place.typists.delete(name);
    }
    if (stopped.length) this.#changed(place);
  }

  stopAll(place) {
    this.stop(place, ...place.typists.keys());
  }

  #changed(place) {
    this.#emit("typing", { place: place.name, users: [...place.typists.keys()] });
  }
}
