/** Whether the client is connected, and as whom. */

import { Store } from "./store.js";

const INITIAL = { state: "idle", gateway: null, username: "", inMs: null, reason: null, error: null };

export class ConnectionStore extends Store {
  #client;

  constructor(client) {
    super({ ...INITIAL, username: client.username });
    this.#client = client;
  }

  start() {
    const { state, gateway, username } = this.#client;
    this.set({ state, gateway, username });
    this.onStop(
      this.#client.on("state", ({ state, gateway, inMs = null, reason = null }) => this.set({ state, gateway, inMs, reason })),
      this.#client.on("user", ({ username }) => this.set({ username })),
    );
  }

  /** Connect the client. If it is connected already, or was closed, this changes nothing. */
  async connect() {
    try {
      await this.#client.connect();
    } catch (error) {
      this.set({ error });
    }
  }
}
