/** The users who are online. The client itself is online while this store runs. */

import { Store, askUntilAnswered } from "./store.js";

export class OnlineStore extends Store {
  /** The direct chats as they were when the client went online; `isOpening` until then. */
  chats = null;
  isOpening = false;
  #client;

  constructor(client) {
    super({ users: [] });
    this.#client = client;
  }

  start(run) {
    this.onStop(this.#client.on("online", ({ users }) => this.set({ users })));
    this.isOpening = true;
    const isCurrent = () => this.run === run;
    this.chats = askUntilAnswered(this.#client, () => this.#client.goOnline(), isCurrent);
    // Why a client was closed is told by useConnection.
    this.chats.catch(() => {}).finally(() => { if (isCurrent()) this.isOpening = false; });
  }

  stop() {
    if (this.#client.state === "connected") this.#client.goOffline().catch(() => {});
  }
}
