/** State of a client that components show, in the form that `useSyncExternalStore` takes. */

/** Milliseconds for which a store goes on without subscribers. */
const STOP_AFTER_MS = 500;
/** Milliseconds between two attempts while the client is connected. */
const RETRY_AFTER_MS = 1_000;

/**
 * A snapshot that is replaced, never changed, and its subscribers. Subclasses begin to follow the
 * client in `start` and end in `stop`. A store may start again later.
 *
 * React's StrictMode unsubscribes and subscribes again at once, and so does a page that replaces one
 * component by another of the same room. The pause before `stop` keeps the client in the room then.
 */
export class Store {
  /** A number for each start and stop: what an earlier run still waits for is not looked at. */
  run = 0;
  #initial;
  #snapshot;
  #listeners = new Set();
  #cleanups = [];
  #isStarted = false;
  #timer = null;

  constructor(initial) {
    this.#initial = this.#snapshot = initial;
  }

  subscribe = (listener) => {
    clearTimeout(this.#timer);
    this.#listeners.add(listener);
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.run++;
      this.start(this.run);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#timer = setTimeout(() => this.#end(), STOP_AFTER_MS);
    };
  };

  getSnapshot = () => this.#snapshot;

  /** What a server renders, and a browser at first: no client is connected there. */
  getServerSnapshot = () => this.#initial;

  set(changes) {
    this.#snapshot = { ...this.#snapshot, ...changes };
    for (const listener of [...this.#listeners]) listener();
  }

  /** Call these functions when the store stops. */
  onStop(...cleanups) {
    this.#cleanups.push(...cleanups);
  }

  start() {}

  stop() {}

  #end() {
    this.#isStarted = false;
    this.run++;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    this.stop();
    this.#snapshot = this.#initial;
  }
}

/**
 * The result of a request, which is made again after each retryable error, such as one of a client
 * that has been offline for longer than a request waits. Ends early once `isCurrent()` is false.
 */
export async function askUntilAnswered(client, ask, isCurrent) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!error.retryable || !isCurrent()) throw error;
      await canAskAgain(client);
    }
  }
}

function canAskAgain(client) {
  if (client.state === "connected") return new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  return new Promise((resolve) => {
    const off = client.on("state", ({ state }) => {
      if (state !== "connected" && state !== "closed") return;
      off();
      resolve();
    });
  });
}
