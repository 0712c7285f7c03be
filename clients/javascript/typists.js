/** Who is typing where, from signs that say who begins but not who ends. */

const TYPING = " is typing...";
/** Milliseconds after its last sign at which typing is over, whatever the server says. */
const OVER_AFTER = 3_000;

export class Typists {
  #emit;

  constructor(emit) {
    this.#emit = emit;
  }

  /** Take the text of a `typing` event: somebody types, or somebody, nobody says who, stopped. */
  take(place, text) {
    if (!place) return;
    if (!text.endsWith(TYPING)) {
      if (place.typists.size === 1) this.stop(place, ...place.typists.keys());
      return;
    }
    const name = text.slice(0, -TYPING.length);
    const known = place.typists.has(name);
    clearTimeout(place.typists.get(name));
    place.typists.set(name, setTimeout(() => this.stop(place, name), OVER_AFTER));
    if (!known) this.#tell(place);
  }

  /** They do not type any more. */
  stop(place, ...names) {
    const typed = names.filter((name) => place.typists.has(name));
    for (const name of typed) {
      clearTimeout(place.typists.get(name));
      place.typists.delete(name);
    }
    if (typed.length) this.#tell(place);
  }

  #tell(place) {
    this.#emit("typing", { place: place.name, users: [...place.typists.keys()] });
  }
}
