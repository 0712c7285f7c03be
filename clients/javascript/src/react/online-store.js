/** The users who are online. The client itself is online while this store runs. */

import { Store, askUntilAnswered } from "./store.js";

export class OnlineStore extends Store {
  /** The direct chats as they were when the client came online. */
  chats = null;
  #client;

  constructor(client) {
    super({ users: [] });
    this.#client = client;
  }

  start(run) {
    this.onStop(this.#client.on("online", ({ users }) => this.set({ users })));
    this.chats = askUntilAnswered(this.#client, () => this.#client.goOnline(), () => this.run === run);
    this.chats.catch(() => {}); // useConnection tells why a client was closed
  }

  stop() {
    if (this.#client.state === "connected") this.#client.goOffline().catch(() => {});
  }
}
