/** One WebSocket after the other, and requests with their answers. */

import { ParleyError, connectionLost, deferred, inTime, pause, socketUrl } from "./support.js";

/** Close codes after which another connection would end in the same way. */
const UNWANTED = new Set([1008, 4400, 4403]);
const WHO_ARE_YOU = 4401, TOO_FAST = 4429;
/** Events that belong to an answer: the last one before a reply is the reply's own. */
const BESIDE = { joinRoom: "messageHistory", getRooms: "rooms", getChats: "chatsList" };
/** Milliseconds. */
const FIRST_PAUSE = 250, LONGEST_PAUSE = 10_000, STABLE_AFTER = 5_000, OPEN_WITHIN = 8_000;
const QUIET_FOR = 20_000, PROBE_WITHIN = 8_000;

export class Connection {
  state = "idle";
  gateway = null;
  maxContent = 4000;
  /** Settles once one is connected and has caught up; a new one after each loss. */
  ready = deferred();
  #urls;
  #identity;
  #durable;
  #emit;
  #handler;
  #WebSocket;
  #session = null;
  #opened = null;
  #again = false;
  #refused = false; // who one is was not believed; a fresh token may be
  #attempts = 0;
  #turn = 0;
  #retry = null;
  #timers = new Set();
  #requests = new Map();
  #lastId = 0;
  #beside = new Map();

  /** `handler`: {frame(frame), named(before), back(), ready(), lost()}, told in this order. */
  constructor(urls, identity, options, emit, handler) {
    this.#urls = [urls].flat().map(socketUrl);
    this.#identity = identity;
    this.#durable = options.durable;
    this.#emit = emit;
    this.#handler = handler;
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (!this.#WebSocket) {
      throw new TypeError("no WebSocket here: run Node 20 with --experimental-websocket, " +
        "use a later one, or give one as the option WebSocket");
    }
  }

  /** The first address. */
  get url() {
    return this.#urls[0];
  }

  /** Whether requests can be made now. */
  get isReady() {
    return this.ready.settled && this.state === "connected";
  }

  connect() {
    if (this.#opened) return this.#opened.promise;
    this.#opened = deferred();
    globalThis.addEventListener?.("online", this.#wake);
    globalThis.addEventListener?.("offline", this.#probe);
    this.#open();
    return this.#opened.promise;
  }

  /** End for good. */
  finish(reason, code = "closed") {
    if (this.state === "closed") return;
    clearTimeout(this.#retry);
    globalThis.removeEventListener?.("online", this.#wake);
    globalThis.removeEventListener?.("offline", this.#probe);
    const error = new ParleyError(code, reason);
    this.#end(error);
    this.#setState("closed", { reason });
    this.ready.reject(error);
    this.#opened?.reject(error);
  }

  reconnectNow() {
    if (this.state === "reconnecting") this.#open();
  }

  post(frame) {
    this.#session?.socket.send(JSON.stringify(frame));
  }

  /**
   * Ask on the present connection. `settle(reply, beside)` makes the answer, before any later
   * frame is read; `beside` is the event that came with the reply.
   */
  ask(event, data, settle = (reply) => reply) {
    if (!this.#session?.since) return Promise.reject(connectionLost());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, { event, settle, resolve, reject });
      this.post({ event, data, id });
    });
  }

  /** Do something in a while, if the connection lasts. */
  later(work, ms) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  /** Connect elsewhere after a while, as the server asks. */
  moveIn(ms) {
    const session = this.#session;
    this.later(() => {
      session.moving = true;
      this.#lost(session, 1012, "the gateway is leaving");
    }, ms);
  }

  async #open() {
    clearTimeout(this.#retry);
    const url = this.#urls[this.#turn++ % this.#urls.length];
    const session = { socket: null, url, since: 0, heard: 0, over: false, moving: false, probing: false };
    this.#session = session;
    this.#setState("connecting", { url });
    try {
      session.first = await this.#identity.begin(url);
    } catch (error) {
      this.#failed(session, error);
    }
    if (!session.over) this.#dial(session);
  }

  #dial(session) {
    const { query } = session.first;
    const asked = new URLSearchParams({ welcome: "1", ...query, ...(this.#durable && { durable: "1" }) });
    const socket = (session.socket = new this.#WebSocket(`${session.url}?${asked}`, ["chat.json"]));
    session.timeout = setTimeout(() => this.#lost(session, 0, "no answer in time"), OPEN_WITHIN);
    socket.onopen = () => !session.over && this.#start(session);
    socket.onmessage = ({ data }) => {
      clearTimeout(session.timeout);
      if (!session.over) this.#take(session, data);
    };
    socket.onclose = ({ code, reason }) =>
      this.#lost(session, code, reason || `closed with code ${code}`);
    socket.onerror = () => this.#lost(session, 0, "no connection"); // a close need not follow
  }

  /** Something was refused without which a connection is of no use. */
  #failed(session, error) {
    if (session.over) return;
    if (error.code === "unauthorized") this.#lost(session, WHO_ARE_YOU, error.message);
    else if (error.retryable) this.#lost(session, 0, error.message, error.retryAfterMs);
    else this.finish(error.message, error.code);
  }

  #lost(session, code, reason, atLeast = 0) {
    if (session.over) return;
    this.#end(connectionLost());
    const why = session.refusal ?? reason;
    if (code === WHO_ARE_YOU && (this.#refused || !this.#identity.renews)) {
      this.finish(why, "unauthorized");
      this.#emit("unauthorized", { message: why });
      return;
    }
    if (UNWANTED.has(code)) {
      this.finish(why);
      return;
    }
    this.#refused ||= code === WHO_ARE_YOU;
    const lasted = session.since ? Date.now() - session.since : 0;
    this.#attempts = lasted > STABLE_AFTER ? 0 : this.#attempts + 1;
    const longest = Math.round(pause(this.#attempts, FIRST_PAUSE, LONGEST_PAUSE));
    const least = code === TOO_FAST ? LONGEST_PAUSE / 2 : atLeast;
    const inMs = session.moving ? 0 : least + longest;
    this.#retry = setTimeout(() => this.#open(), inMs);
    this.#setState("reconnecting", { inMs, reason: why });
  }

  /** The present connection is over, with all that was asked on it. */
  #end(error) {
    const session = this.#session;
    this.#session = null;
    if (session) {
      session.over = true;
      clearTimeout(session.timeout);
      session.socket?.close();
    }
    if (this.ready.settled) this.ready = deferred();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    this.#beside.clear();
    for (const request of requests) request.reject(error);
    this.#handler.lost();
  }

  #setState(state, more = {}) {
    this.state = state;
    if (state !== "connected") this.gateway = null;
    this.#emit("state", { state, gateway: this.gateway, ...more });
  }

  /** It is open: say who one is, and go on where one was. */
  async #start(session) {
    session.since = Date.now();
    const { event, data } = session.first;
    try {
      const { user, expiresIn } = await this.ask(event, data);
      this.#named(user ?? session.user);
      this.#refused = false;
      this.#setState("connected", { url: session.url, again: this.#again });
      this.#keepAlive(session);
      this.#identity.keepFresh(this, session, expiresIn, (error) => this.#failed(session, error));
      if (this.#again) await this.#handler.back();
    } catch (error) {
      this.#failed(session, error);
    }
    if (session.over) return;
    this.#again = true;
    this.ready.resolve();
    this.#opened.resolve();
    this.#handler.ready();
  }

  /** The server says who one is; a guest is another one on each connection. */
  #named(user) {
    const before = this.#identity.name;
    const name = user === undefined ? before : String(user);
    if (!name) throw new ParleyError("bad_request", "this server knows no guests: give a username");
    this.#identity.name = name;
    this.#handler.named(before);
  }

  #wake = () => this.reconnectNow();

  /** Ask something cheap: a connection may be dead without knowing it. */
  #probe = () => {
    const session = this.#session;
    if (this.state !== "connected" || session.probing) return;
    session.probing = true;
    const asked = this.ask("setUsername", { username: this.#identity.name });
    inTime(asked, PROBE_WITHIN, new ParleyError("timeout", "no answer"))
      .catch((error) => error.code === "timeout" && this.#lost(session, 0, "the server is silent"))
      .finally(() => { session.probing = false; });
  };

  #keepAlive(session) {
    if (session.over) return;
    if (Date.now() - session.heard > QUIET_FOR) this.#probe();
    this.later(() => this.#keepAlive(session), QUIET_FOR / 4);
  }

  #take(session, text) {
    session.heard = Date.now();
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return; // no frame of this protocol
    }
    if (frame.event === "welcome") {
      this.gateway = frame.data.gateway;
      this.maxContent = frame.data.maxContent;
      session.user = frame.data.user;
    }
    if (frame.event === "reply" || frame.event === "error") this.#answer(session, frame);
    else {
      this.#beside.set(frame.event, frame.data);
      this.#handler.frame(frame);
    }
  }

  #answer(session, { event, id, data }) {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    if (event === "reply") {
      request?.resolve(request.settle(data, this.#beside.get(BESIDE[request.event])));
      return;
    }
    const error = new ParleyError(data.code, data.message, data.retryable, data.retryAfterMs);
    if (request) request.reject(error);
    else if (error.code === "unauthorized") session.refusal = error.message; // the close comes next
    else this.#emit("error", error);
  }
}
