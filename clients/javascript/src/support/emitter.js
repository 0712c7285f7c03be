/** Listeners for events, by the type of the event. */

/** The types of events that the client emits; `Events` in parley.d.ts describes each of them. */
export const EVENT_TYPES = new Set(["state", "user", "unauthorized", "message", "deleted", "cleared", "seen", "typing",
  "online", "outbox", "accepted", "durable", "caughtUp", "reset", "kicked", "banned", "unbanned", "moderatorChanged",
  "passwordChanged", "banLifted", "lost", "chat", "chats", "chatDeleted", "renamed", "notice", "error", "other"]);

export class Emitter {
  #listeners = new Map(); // type -> Map(listener -> function to call)
  #observers = new Set();

  /** Call `listener` for each event of a type. Returns a function that removes it again. */
  on(type, listener) {
    return this.#add(type, listener, listener);
  }

  /** Call `listener` for the next event of a type only. Returns a function that removes it. */
  once(type, listener) {
    return this.#add(type, listener, (event) => {
      this.off(type, listener);
      listener(event);
    });
  }

  /** Remove a listener that `on` or `once` added. */
  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  /** Call `observer(type, event)` for every event. Returns a function that removes it. */
  observe(observer) {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  emit(type, event) {
    const listeners = [...(this.#listeners.get(type)?.values() ?? [])];
    for (const listener of listeners) this.#call(() => listener(event));
    for (const observer of [...this.#observers]) this.#call(() => observer(type, event));
  }

  #add(type, listener, called) {
    if (typeof listener !== "function") throw new TypeError("a listener is a function");
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Map());
    this.#listeners.get(type).set(listener, called);
    return () => this.off(type, listener);
  }

  #call(listener) {
    try {
      listener();
    } catch (error) {
      // An error of the application: it is reported as uncaught, and the other listeners still run.
      queueMicrotask(() => { throw error; });
    }
  }
}
