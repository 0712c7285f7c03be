/** Events as an async iterator, in a queue with an upper limit. */

import { ParleyError } from "./errors.js";

const DONE = Object.freeze({ value: undefined, done: true });

export class EventStream {
  #limit;
  #onEnd;
  #queue = [];
  #readers = []; // calls of next() that wait for an event
  #isEnded = false;
  #error = null;

  /** `limit`: events that may wait to be read. `onEnd()` is called once, when no event is needed any more. */
  constructor(limit, onEnd) {
    this.#limit = limit;
    this.#onEnd = onEnd;
  }

  push(event) {
    if (this.#isEnded) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ value: event, done: false });
    else if (this.#queue.length < this.#limit) this.#queue.push(event);
    else this.end(new ParleyError("queue_full", `${this.#limit} events wait to be read: read them faster, or allow more`));
  }

  /** Take no more events. Those that wait can still be read; then follows `error`, or the end. */
  end(error = null) {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#onEnd();
    for (const reader of this.#readers.splice(0)) reader.resolve(DONE);
  }

  async next() {
    if (this.#queue.length) return { value: this.#queue.shift(), done: false };
    if (!this.#isEnded) return new Promise((resolve) => this.#readers.push({ resolve }));
    const error = this.#error;
    this.#error = null;
    if (error) throw error;
    return DONE;
  }

  /** Called where a `for await` loop is left early. */
  async return() {
    this.#queue = [];
    this.#error = null;
    this.end();
    return DONE;
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
