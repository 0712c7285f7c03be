/** Resumes rooms and chats after a reconnect, or when the server asks for it. */

import { byteLength } from "../connection/limits.js";
import { retryOnConnection } from "../connection/retry.js";

/** Rooms and chats of one `resume` request; it has fewer if their names and grants fill a frame. */
const MAX_RESUMED = 500;
/** Bytes of the request without them, and of one place without its names and its grant. */
const FRAME_BYTES = 256, PLACE_BYTES = 64;
/** Milliseconds until it has to be answered: all that was missed comes before the reply. */
const RESUME_TIMEOUT_MS = 300_000;

export class Resumer {
  #connection;
  #places;
  #emit;

  constructor(connection, places, emit) {
    this.#connection = connection;
    this.#places = places;
    this.#emit = emit;
  }

  /** Resume every place after a reconnect. */
  resumeAll() {
    return this.resume(this.#places.all().filter((place) => place.last !== null));
  }

  /** Emit what was missed in these places, then `caughtUp`. */
  async resume(places) {
    let messages = 0;
    for (const place of places) place.addResumePoint();
    const next = () => this.#thatFit(places.filter((place) => place.resumePoints.length && this.#places.isCurrent(place)));
    while (next().length) {
      const notRecovered = await retryOnConnection(() => this.#ask(next()));
      for (const place of places) {
        messages += place.missed;
        place.missed = 0;
      }
      // First all that needs no connection: the connection may be lost meanwhile.
      for (const place of notRecovered) this.#startOver(place);
      for (const place of notRecovered) if (!place.isInside) await this.#enterAgain(place);
    }
    if (places.length) this.#emit("caughtUp", { messages });
  }

  /** The first of these places that one frame has space for. */
  #thatFit(places) {
    let left = this.#connection.limits.maxFrame - FRAME_BYTES;
    return places.slice(0, MAX_RESUMED).filter((place, n) => {
      left -= PLACE_BYTES + byteLength(JSON.stringify([place.name, place.grant && place.name, place.grant]));
      return n === 0 || left >= 0;
    });
  }

  /**
   * Ask to resume each place from its first resume point, also if that was refused before. Live
   * events may have come since, but they may lie beyond a gap, or hide that older ones are lost.
   * Resolves with the places that the server cannot resume.
   */
  async #ask(places) {
    const asked = { rooms: {}, chats: {}, grants: {} };
    const points = places.map((place) => ({ place, since: Math.min(...place.resumePoints), count: place.resumePoints.length }));
    for (const { place, since } of points) {
      place.isReplaying = true;
      if (place.room === null) asked.chats[place.chatId] = since;
      else asked.rooms[place.room] = since;
      if (place.grant) asked.grants[place.room] = place.grant;
    }
    const settle = ({ rooms, chats }) => points.filter(({ place, since, count }) => {
      const result = place.room === null ? chats[place.chatId] : rooms[place.room];
      this.#resumed(place, since, count, result);
      return !result.recovered;
    }).map(({ place }) => place);
    try {
      return places.length ? await this.#connection.ask("resume", asked, settle, RESUME_TIMEOUT_MS) : [];
    } finally {
      for (const place of places) place.isReplaying = false;
    }
  }

  #resumed(place, since, count, { recovered, head }) {
    // What still seems to be missing was deleted, or has come live meanwhile.
    for (const entry of place.release()) this.#places.show(place, entry);
    place.isInside = recovered || head > 0;
    place.confirmResumed(recovered ? since : Infinity, count);
    if (recovered) place.last = Math.max(place.last, head);
    else if (place.isInside) place.last = head;
  }

  /** The server cannot say what was missed: what the application shows of the place is out of date. */
  #startOver(place) {
    if (place.isInside) this.#emit("reset", { place: place.name });
    else if (place.room === null) this.#places.chatDeleted(place);
  }

  /** Enter a room again that could not be resumed, or emit that the user may not. */
  async #enterAgain(place) {
    if (place.room === null) return;
    const before = place.last;
    try {
      place.last = null;
      await retryOnConnection(() => this.#places.enter(place.name));
      this.#emit("reset", { place: place.name });
    } catch (error) {
      if (error.code === "connection_lost") {
        place.last = before; // the next connection tries the same
        throw error;
      }
      this.#places.remove(place.name);
      this.#places.hooks.failAll(place.name, error);
      const { code, message, reason } = error;
      this.#emit("lost", { place: place.name, code, message, ...(reason && { reason }) });
    }
  }
}
