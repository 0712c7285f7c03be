/** The direct chats of the user, the one with the latest message first. */

import { Store, askUntilAnswered } from "./store.js";

export class ChatsStore extends Store {
  #client;
  #online;
  #isRefreshing = false;
  #isStale = false;

  constructor(client, online) {
    super({ status: "loading", error: null, chats: [] });
    this.#client = client;
    this.#online = online;
  }

  start(run) {
    const client = this.#client;
    this.onStop(
      this.#online.subscribe(() => {}),
      client.on("message", (message) => message.place[0] === "@" && this.#message(message)),
      client.on("chats", ({ chats }) => this.set({ chats })),
      client.on("chatDeleted", ({ place }) => this.#update((chats) => chats.filter((chat) => chat.place !== place))),
      ...["chat", "deleted", "seen"].map((type) => client.on(type, ({ place }) => place[0] === "@" && this.#refresh())),
    );
    this.#load(run);
  }

  stop() {
    this.#isRefreshing = this.#isStale = false;
  }

  async #load(run) {
    try {
      // The client may have been online for long, for another component: then that list is old.
      const isFresh = this.#online.isOpening;
      let chats = await this.#online.chats;
      if (!isFresh) chats = await askUntilAnswered(this.#client, () => this.#client.chats(), () => this.run === run);
      if (this.run !== run) return;
      this.set({ status: "ready", chats });
      if (this.#isStale) this.#refresh();
    } catch (error) {
      if (this.run === run) this.set({ status: "failed", error });
    }
  }

  #update(change) {
    this.set({ chats: change(this.getSnapshot().chats) });
  }

  #message({ missed, clientMsgId, ...message }) {
    const chat = this.getSnapshot().chats.find(({ place }) => place === message.place);
    if (!chat) return void this.#refresh();
    const unread = message.sender === chat.user ? chat.unread + 1 : chat.unread;
    this.#update((chats) => [{ ...chat, unread, lastMessage: message }, ...chats.filter((other) => other !== chat)]);
  }

  /** Ask for the list again; once more if something else happens meanwhile. */
  async #refresh() {
    this.#isStale = true;
    if (this.#isRefreshing || this.getSnapshot().status !== "ready") return;
    const { run } = this;
    this.#isRefreshing = true;
    while (this.#isStale && this.run === run) {
      this.#isStale = false;
      try {
        const chats = await this.#client.chats();
        if (this.run === run) this.set({ chats });
      } catch {
        break; // the list comes again after the reconnect
      }
    }
    if (this.run === run) this.#isRefreshing = false;
  }

  /** The user has seen a chat up to a seq: nobody else says so to this client. */
  markSeen(place, seq) {
    this.#update((chats) => chats.map((chat) =>
      (chat.place === place && (chat.lastMessage?.seq ?? 0) <= seq ? { ...chat, unread: 0 } : chat)));
  }
}
