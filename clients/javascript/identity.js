/** Who this client is, and how it shows that: by a name, by a token, or as a guest. */

import { ParleyError, inTime } from "./support.js";

/** Milliseconds for a fresh token, or a ticket. */
const TOKEN_WITHIN = 30_000;
/** Of a token's life, after which a fresh one is asked for; the most that a timer can wait. */
const RENEW_AFTER = 0.8, RENEW_AGAIN = 1_000, LONGEST_TIMER = 2 ** 31 - 1;

export class Identity {
  /** By which one is known; "" until the server has said it. */
  name;
  isGuest;
  #token;
  #tickets;

  constructor({ username = "", token, tickets = false, guest = false }) {
    if (!username && !token && !guest) throw new TypeError("a client has a username or a token, or is a guest");
    if (guest && (username || token)) throw new TypeError("a guest is given a name: it has no username and no token");
    this.name = String(username);
    this.isGuest = guest;
    this.#token = token;
    this.#tickets = tickets;
  }

  /** Whether a fresh token can be had. */
  get renews() {
    return typeof this.#token === "function";
  }

  /** What a connection to `url` begins with: its query, and its first request. */
  async begin(url) {
    if (this.isGuest) return { query: {}, event: "getRooms", data: { limit: 1 } };
    const query = this.name ? { username: this.name } : {};
    // The query names one already; asked again, it is known that the name was taken.
    if (!this.#token) return { query, event: "setUsername", data: { username: this.name } };
    const token = await this.token();
    if (this.#tickets) query.ticket = await ticketFor(url, token);
    return { query, event: "authenticate", data: { token } };
  }

  /** A token; a fresh one where it can be had. What fails in getting it may pass. */
  async token() {
    const late = new ParleyError("timeout", "no token came", true);
    let token = this.#token;
    try {
      if (this.renews) token = await inTime(Promise.resolve(token()), TOKEN_WITHIN, late);
    } catch (error) {
      throw new ParleyError("no_token", `no token: ${error.message}`, true);
    }
    if (!token) throw new ParleyError("unauthorized", "there is no token");
    return String(token);
  }

  /** Bring a fresh token on a connection before the last one, of so many seconds, expires. */
  keepFresh(connection, session, expiresIn, failed, inMs = expiresIn * 1000 * RENEW_AFTER) {
    if (!this.renews || expiresIn === undefined) return;
    connection.later(async () => {
      try {
        const token = await this.token();
        if (session.over) return;
        const renewed = await connection.ask("authenticate", { token });
        this.keepFresh(connection, session, renewed.expiresIn, failed);
      } catch (error) {
        if (session.over) return;
        // A part of its life is left to try again; after that the server ends the connection.
        if (error.retryable) this.keepFresh(connection, session, expiresIn, failed, RENEW_AGAIN + error.retryAfterMs);
        else failed(error);
      }
    }, Math.min(inMs, LONGEST_TIMER));
  }
}

/** Show the token over HTTP, for what lets a connection in that cannot. */
async function ticketFor(socketUrl, token) {
  const url = new URL(socketUrl.replace(/^ws/, "http"));
  url.pathname = url.pathname.replace(/\/ws$/, "/tickets");
  const late = new ParleyError("timeout", "no ticket came", true);
  const asked = fetch(url, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  const response = await inTime(asked, TOKEN_WITHIN, late).catch(() => { throw late; });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer.ticket;
  const passes = response.status === 429 || response.status >= 500;
  const code = response.status === 401 ? "unauthorized" : passes ? "overloaded" : "bad_request";
  throw new ParleyError(code, answer.message ?? `no ticket: HTTP ${response.status}`, passes);
}
