/** Who the client is, and how it shows that: by a name, by a token, or as a guest. */

import { ParleyError } from "../support/errors.js";
import { withTimeout } from "../support/promises.js";

/** Milliseconds for a fresh token, or a ticket. */
const TOKEN_TIMEOUT_MS = 30_000;
/** Share of a token's life after which a fresh one is asked for. */
const RENEW_AFTER = 0.8;
const RENEW_PAUSE_MS = 1_000;
/** A longer timer would fire at once (HTML standard, "timers": a signed 32-bit integer). */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Identity {
  /** The user's name; "" until the server has said it. */
  name;
  isGuest;
  #token;
  #tickets;

  constructor({ username = "", token, tickets = false, guest = false }) {
    if (!username && !token && !guest) throw new TypeError("give a username or a token, or guest: true");
    if (guest && (username || token)) throw new TypeError("the server names a guest: give no username and no token");
    this.name = String(username);
    this.isGuest = guest;
    this.#token = token;
    this.#tickets = tickets;
  }

  /** True if there is a token to show. */
  get hasToken() {
    return Boolean(this.#token);
  }

  /** True if fresh tokens can be had. */
  get renews() {
    return typeof this.#token === "function";
  }

  /** What a connection to `url` begins with: the parameters of its URL, and its first request. */
  async begin(url) {
    if (this.isGuest) return { query: {}, event: "getRooms", data: { limit: 1 } };
    const query = this.name ? { username: this.name } : {};
    // The URL names the user already; the reply to this request shows that the name was accepted.
    if (!this.#token) return { query, event: "setUsername", data: { username: this.name } };
    const token = await this.token();
    if (this.#tickets) query.ticket = await ticketFor(url, token);
    return { query, event: "authenticate", data: { token } };
  }

  /** A token; a fresh one where `token` is a function. If that function throws, it is called again later. */
  async token() {
    const timeout = new ParleyError("timeout", "the token function did not return in time", true);
    let token = this.#token;
    try {
      if (this.renews) token = await withTimeout(Promise.resolve(token()), TOKEN_TIMEOUT_MS, timeout);
    } catch (error) {
      throw new ParleyError("no_token", `no token: ${error.message}`, true);
    }
    if (!token) throw new ParleyError("unauthorized", "there is no token");
    return String(token);
  }

  /** Send a fresh token on a connection before the last one, of so many seconds, expires. */
  keepFresh(connection, session, expiresIn, failed, inMs = expiresIn * 1000 * RENEW_AFTER) {
    if (!this.renews || expiresIn === undefined) return;
    connection.later(async () => {
      try {
        const token = await this.token();
        if (session.isOver) return;
        const renewed = await connection.ask("authenticate", { token });
        this.keepFresh(connection, session, renewed.expiresIn, failed);
      } catch (error) {
        if (session.isOver) return;
        // A fifth of the old token's life is left to try again; then the server closes the connection.
        if (error.retryable) this.keepFresh(connection, session, expiresIn, failed, RENEW_PAUSE_MS + error.retryAfterMs);
        else failed(error);
      }
    }, Math.min(inMs, MAX_TIMER_MS));
  }
}

/** Exchange the token for a one-use ticket over HTTP, for proxies that admit no WebSocket without one. */
async function ticketFor(socketUrl, token) {
  const url = new URL(socketUrl.replace(/^ws/, "http"));
  url.pathname = url.pathname.replace(/\/ws$/, "/tickets");
  const timeout = new ParleyError("timeout", "no ticket came", true);
  const asked = fetch(url, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  const response = await withTimeout(asked, TOKEN_TIMEOUT_MS, timeout).catch(() => { throw timeout; });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer.ticket;
  const isTransient = response.status === 429 || response.status >= 500;
  const code = response.status === 401 ? "unauthorized" : isTransient ? "overloaded" : "bad_request";
  throw new ParleyError(code, answer.message ?? `no ticket: HTTP ${response.status}`, isTransient);
}
