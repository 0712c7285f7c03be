/** An application in front of Parley under the same host name; it answers some paths itself. */

import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect } from "node:net";

export class Application {
  #server;

  /** `own`: answers by path, each a function that gives {status, type, body}; the rest is `to`'s. */
  static async before(to, own) {
    const application = new Application();
    const { hostname, port } = new URL(to);
    application.#server = createServer((asked, answer) => {
      if (own[asked.url]) {
        const { status = 200, type = "text/plain", body = "" } = own[asked.url]();
        answer.writeHead(status, { "Content-Type": type }).end(body);
        return;
      }
      const { method, url: path, headers } = asked;
      asked.pipe(request({ hostname, port, method, path, headers }, (got) => {
        answer.writeHead(got.statusCode, got.headers);
        got.pipe(answer);
      }));
    });
    application.#server.on("upgrade", ({ url, rawHeaders }, socket) => {
      const lines = rawHeaders.map((word, n) => (n % 2 ? `${word}\r\n` : `${word}: `));
      const behind = connect(Number(port), hostname, () => behind.write(`GET ${url} HTTP/1.1\r\n${lines.join("")}\r\n`));
      for (const [from, into] of [[socket, behind], [behind, socket]]) {
        from.on("error", () => {}); // a close follows
        from.on("close", () => into.destroy());
        from.pipe(into);
      }
    });
    application.#server.listen(0, "127.0.0.1");
    await once(application.#server, "listening");
    application.url = `http://127.0.0.1:${application.#server.address().port}`;
    return application;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
