/** The stores of each client. Components that show the same share a store. */

import { ChatsStore } from "./chats-store.js";
import { ConnectionStore } from "./connection-store.js";
import { OnlineStore } from "./online-store.js";
import { DirectChatStore, RoomStore } from "./place-store.js";

class Stores {
  #client;
  #rooms = new Map();
  #directChats = new Map();

  constructor(client) {
    this.#client = client;
    this.connection = new ConnectionStore(client);
    this.online = new OnlineStore(client);
    this.chats = new ChatsStore(client, this.online);
  }

  room(name) {
    if (!this.#rooms.has(name)) this.#rooms.set(name, new RoomStore(this.#client, name));
    return this.#rooms.get(name);
  }

  directChat(user) {
    if (!this.#directChats.has(user)) this.#directChats.set(user, new DirectChatStore(this.#client, user, this.online, this.chats));
    return this.#directChats.get(user);
  }
}

const byClient = new WeakMap();

export function storesOf(client) {
  if (!byClient.has(client)) byClient.set(client, new Stores(client));
  return byClient.get(client);
}
