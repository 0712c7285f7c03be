/** A relay before a server, which a test can cut: what a network does to a client. */

import { once } from "node:events";
import { connect, createServer } from "node:net";

const UPGRADE = /^upgrade: *websocket/im;

export class Relay {
  #server;
  #sockets = new Set();
  #open = true;
  #silent = false;
  #pages = false;

  /** Begin to listen before `to`, the start of a URL. */
  static async before(to) {
    const relay = new Relay();
    const { hostname, port } = new URL(to);
    relay.#server = createServer((client) => relay.#take(client, hostname, Number(port)));
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    relay.url = `http://127.0.0.1:${relay.#server.address().port}`;
    return relay;
  }

  /** Lose all connections, and take no other; `pages`: but those that load a page. */
  cut({ pages = false } = {}) {
    this.#open = false;
    this.#pages = pages;
    this.drop();
  }

  /** Lose all connections. */
  drop() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Pass nothing on to clients any more, and keep them connected. */
  muffle() {
    this.#silent = true;
  }

  /** Be as at first. */
  mend() {
    this.#open = true;
    this.#silent = false;
  }

  async close() {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #take(client, host, port) {
    if (!this.#open && !this.#pages) {
      client.destroy();
      return;
    }
    client.on("data", (bytes) => !this.#open && UPGRADE.test(bytes) && client.destroy());
    const server = connect(port, host);
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from);
      from.on("data", (bytes) => (this.#silent && to === client) || to.write(bytes));
      from.on("error", () => {}); // a close follows
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
