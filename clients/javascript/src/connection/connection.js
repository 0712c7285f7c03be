/** One WebSocket after the other, each with its requests. */

import { CLOSE_CODES, FINAL_CLOSE_CODES, NEW_TOKEN_CLOSE_CODES, TOKEN_CLOSE_CODES } from "../constants.js";
import { ParleyError, connectionLost } from "../support/errors.js";
import { socketUrl } from "../support/names.js";
import { deferred, randomPause, withTimeout } from "../support/promises.js";
import { Limits } from "./limits.js";
import { Requests } from "./requests.js";

/** Stands for the close code where the connection failed without one. */
const NO_CODE = 0;
/** Milliseconds. */
const FIRST_PAUSE_MS = 250, MAX_PAUSE_MS = 10_000, STABLE_AFTER_MS = 5_000, OPEN_TIMEOUT_MS = 8_000;
const QUIET_FOR_MS = 20_000, PROBE_TIMEOUT_MS = 8_000;

export class Connection {
  state = "idle";
  gateway = null;
  limits = new Limits();
  /** Settles once the client is connected and has caught up; replaced after each loss. */
  ready = deferred();
  #urls;
  #identity;
  #durable;
  #emit;
  #handler;
  #WebSocket;
  #session = null; // the present WebSocket
  #opened = null; // settles with the first connection
  #isReconnect = false;
  #wasRefused = false; // the last token was refused; a fresh one is tried once
  #attempts = 0;
  #nextUrl = 0;
  #retry = null;
  #timers = new Set();
  #requests;

  /** `handler`: {frame(frame), named(before), reconnected(), ready(), lost()}. */
  constructor(urls, identity, options, emit, handler) {
    this.#urls = [urls].flat().map(socketUrl);
    this.#identity = identity;
    this.#durable = options.durable;
    this.#requests = new Requests(this.limits, options.answerTimeoutMs);
    this.#emit = emit;
    this.#handler = handler;
    this.#WebSocket = options.WebSocket;
  }

  /** The first URL. */
  get url() {
    return this.#urls[0];
  }

  /** True while requests can be made. */
  get isReady() {
    return this.ready.settled && this.state === "connected";
  }

  connect() {
    if (this.#opened) return this.#opened.promise;
    const problem = this.#whyImpossible();
    if (problem) return Promise.reject(problem);
    this.#opened = deferred();
    globalThis.addEventListener?.("online", this.#wake);
    globalThis.addEventListener?.("offline", this.#probe);
    this.#open();
    return this.#opened.promise;
  }

  /** Looked at here, not in the constructor: a page that a server renders makes a client, too. */
  #whyImpossible() {
    this.#WebSocket ??= globalThis.WebSocket;
    if (!this.#WebSocket) {
      return new ParleyError("no_websocket", "there is no WebSocket here: run Node 22 or later, or Node 20 with " +
        "--experimental-websocket, or give a class as the option WebSocket");
    }
    const relative = this.#urls.find((url) => !url.startsWith("ws"));
    if (relative === undefined) return null;
    return new ParleyError("bad_url", `${relative} is a relative URL, and there is no page that it could be relative to`);
  }

  /** Close the connection, and open no other. */
  finish(reason, code = "closed") {
    if (this.state === "closed") return;
    clearTimeout(this.#retry);
    globalThis.removeEventListener?.("online", this.#wake);
    globalThis.removeEventListener?.("offline", this.#probe);
    const error = new ParleyError(code, reason);
    this.#opened ??= deferred();
    this.#end(error);
    this.#setState("closed", { reason });
    this.ready.reject(error);
    this.#opened.reject(error);
  }

  reconnectNow() {
    if (this.state === "reconnecting") this.#open();
  }

  post(frame) {
    this.#session?.socket.send(JSON.stringify(frame));
  }

  /**
   * Make a request on the present connection. `settle(reply, withReply)` computes its result;
   * `withReply` is the data of the event that came with the reply. `ms`: until it has to be answered.
   */
  ask(event, data, settle = (reply) => reply, ms = undefined) {
    if (!this.#session?.since) return Promise.reject(connectionLost());
    return this.#requests.ask(this.#session.socket, event, data, settle, ms);
  }

  /** Do something after `ms` milliseconds, unless the connection is lost before. */
  later(work, ms) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  /** Connect to another gateway after `ms` milliseconds: this one is about to stop. */
  moveIn(ms) {
    const session = this.#session;
    this.later(() => {
      session.isMoving = true;
      this.#lost(session, CLOSE_CODES.SERVICE_RESTART, "the gateway is stopping");
    }, ms);
  }

  async #open() {
    clearTimeout(this.#retry);
    const url = this.#urls[this.#nextUrl++ % this.#urls.length];
    const session = { socket: null, url, since: 0, lastFrameAt: 0, isOver: false, isMoving: false, isProbing: false };
    this.#session = session;
    this.#setState("connecting", { url });
    try {
      session.first = await this.#identity.begin(url);
      if (!session.isOver) this.#dial(session);
    } catch (error) {
      this.#failed(session, error);
    }
  }

  #dial(session) {
    const { query } = session.first;
    const parameters = new URLSearchParams({ welcome: "1", ...query, ...(this.#durable && { durable: "1" }) });
    const socket = (session.socket = new this.#WebSocket(`${session.url}?${parameters}`, ["chat.json"]));
    this.#expectAnswer(session);
    socket.onopen = () => !session.isOver && this.#start(session);
    socket.onmessage = ({ data }) => !session.isOver && this.#take(session, data);
    socket.onclose = ({ code, reason }) => this.#lost(session, code, reason || `closed with code ${code}`);
    socket.onerror = () => this.#lost(session, NO_CODE, "no connection"); // a close need not follow
  }

  /** Give the server time for its next step: to open the connection, then to say who the client is. */
  #expectAnswer(session) {
    clearTimeout(session.timeout);
    session.timeout = setTimeout(() => this.#lost(session, NO_CODE, "no answer in time"), OPEN_TIMEOUT_MS);
  }

  /** A request failed without which the connection is of no use. */
  #failed(session, error) {
    if (session.isOver) return;
    if (error.code === "unauthorized") this.#lost(session, CLOSE_CODES.UNAUTHORIZED, error.message);
    else if (error.retryable) this.#lost(session, NO_CODE, error.message, error.retryAfterMs);
    else this.finish(error.message, error instanceof ParleyError ? error.code : undefined);
  }

  #lost(session, code, reason, minPause = 0) {
    if (session.isOver) return;
    if (code === CLOSE_CODES.MESSAGE_TOO_BIG) this.#requests.rejectLargest();
    this.#end(connectionLost());
    const why = session.refusal ?? reason;
    const isRefused = NEW_TOKEN_CLOSE_CODES.has(code);
    // The same token would be refused again, and so would a third one where two were.
    const isUnknown = TOKEN_CLOSE_CODES.has(code) && !this.#identity.hasToken;
    if (isUnknown || (isRefused && (this.#wasRefused || !this.#identity.renews))) {
      this.finish(why, "unauthorized");
      this.#emit("unauthorized", { message: why });
      return;
    }
    if (FINAL_CLOSE_CODES.has(code)) {
      this.finish(why);
      return;
    }
    this.#wasRefused ||= isRefused;
    this.#retryLater(session, code, why, minPause);
  }

  #retryLater(session, code, reason, minPause) {
    const lasted = session.since ? Date.now() - session.since : 0;
    this.#attempts = lasted > STABLE_AFTER_MS ? 0 : this.#attempts + 1;
    const pause = Math.round(randomPause(this.#attempts, FIRST_PAUSE_MS, MAX_PAUSE_MS));
    const least = code === CLOSE_CODES.TOO_MANY_REQUESTS ? MAX_PAUSE_MS / 2 : minPause;
    const inMs = session.isMoving ? 0 : least + pause;
    this.#retry = setTimeout(() => this.#open(), inMs);
    this.#setState("reconnecting", { inMs, reason });
  }

  /** End the present connection, with all that was asked on it. */
  #end(error) {
    const session = this.#session;
    this.#session = null;
    if (session) {
      session.isOver = true;
      clearTimeout(session.timeout);
      session.socket?.close();
    }
    if (this.ready.settled) this.ready = deferred();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#requests.rejectAll(error);
    this.#handler.lost();
  }

  #setState(state, more = {}) {
    this.state = state;
    if (state !== "connected") this.gateway = null;
    this.#emit("state", { state, gateway: this.gateway, ...more });
  }

  /** The WebSocket is open: say who this client is, then resume its rooms and chats. */
  async #start(session) {
    session.since = Date.now();
    const { event, data } = session.first;
    this.#expectAnswer(session);
    try {
      const { user, expiresIn } = await this.ask(event, data);
      clearTimeout(session.timeout);
      this.#named(user ?? session.user);
      this.#wasRefused = false;
      this.#setState("connected", { url: session.url, again: this.#isReconnect });
      this.#keepAlive(session);
      this.#identity.keepFresh(this, session, expiresIn, (error) => this.#failed(session, error));
      if (this.#isReconnect) await this.#handler.reconnected();
    } catch (error) {
      this.#failed(session, error);
    }
    if (session.isOver) return;
    this.#isReconnect = true;
    this.ready.resolve();
    this.#opened.resolve();
    this.#handler.ready();
  }

  /** Take the name that the server says; a guest has another one on each connection. */
  #named(user) {
    const before = this.#identity.name;
    const name = user === undefined ? before : String(user);
    if (!name) throw new ParleyError("bad_request", "this server admits no guests: give a username");
    this.#identity.name = name;
    this.#handler.named(before);
  }

  #wake = () => this.reconnectNow();

  /** Send a cheap request: a connection may be dead without either side knowing. */
  #probe = () => {
    const session = this.#session;
    if (this.state !== "connected" || session.isProbing) return;
    session.isProbing = true;
    const asked = this.ask("setUsername", { username: this.#identity.name });
    withTimeout(asked, PROBE_TIMEOUT_MS, new ParleyError("timeout", "no answer"))
      .catch((error) => error.code === "timeout" && this.#lost(session, NO_CODE, "the server is silent"))
      .finally(() => { session.isProbing = false; });
  };

  #keepAlive(session) {
    if (session.isOver) return;
    if (Date.now() - session.lastFrameAt > QUIET_FOR_MS) this.#probe();
    this.later(() => this.#keepAlive(session), QUIET_FOR_MS / 4);
  }

  #take(session, text) {
    session.lastFrameAt = Date.now();
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return; // not a frame of this protocol
    }
    if (frame.event === "welcome") {
      this.gateway = frame.data.gateway;
      this.limits.take(frame.data);
      session.user = frame.data.user;
    }
    if (frame.event === "reply" || frame.event === "error") this.#answer(session, frame);
    else {
      this.#requests.note(frame);
      this.#handler.frame(frame);
    }
  }

  #answer(session, frame) {
    const error = this.#requests.settle(frame);
    if (error?.code === "unauthorized") session.refusal = error.message; // the close comes next
    else if (error) this.#emit("error", error);
  }
}
