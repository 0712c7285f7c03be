/** One WebSocket after the other, and requests with their answers. */

import { ParleyError, connectionLost, deferred, inTime, pause, socketUrl, wait } from "./support.js";

/** Close codes after which another connection would end in the same way. */
const UNWANTED = new Set([1008, 4400, 4401, 4403, 4408]);
/** Events that belong to an answer: the last one before a reply is the reply's own. */
const BESIDE = { joinRoom: "messageHistory", getRooms: "rooms", getChats: "chatsList" };
/** Milliseconds. */
const FIRST_PAUSE = 250, LONGEST_PAUSE = 10_000, STABLE_AFTER = 5_000, OPEN_WITHIN = 8_000;
const QUIET_FOR = 20_000, PROBE_WITHIN = 8_000, ANSWER_WITHIN = 30_000;

export class Connection {
  state = "idle";
  gateway = null;
  maxContent = 4000;
  /** Settles once one is connected and has caught up; a new one after each loss. */
  ready = deferred();
  #urls;
  #options;
  #emit;
  #handler;
  #WebSocket;
  #session = null;
  #opened = null;
  #again = false;
  #attempts = 0;
  #turn = 0;
  #retry = null;
  #timers = new Set();
  #requests = new Map();
  #lastId = 0;
  #beside = new Map();

  /** `handler`: {frame(frame), back(), ready(), lost()}, told in this order of a connection. */
  constructor(urls, options, emit, handler) {
    this.#urls = [urls].flat().map(socketUrl);
    this.#options = options;
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

  /** Ask again while the answer is an error that passes and the connection lasts. */
  async patiently(ask) {
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (error.code === "connection_lost" || !error.retryable) throw error;
      }
      await wait(pause(attempt, 100, 2_000));
    }
  }

  /** Ask until there is an answer, on another connection if need be; see `Parley.request`. */
  async request(ask, { repeat = false, within = ANSWER_WITHIN } = {}) {
    const until = Date.now() + within;
    const late = new ParleyError("timeout", `no answer within ${within / 1000} s`, true);
    for (let attempt = 0; ; attempt++) {
      await inTime(this.ready.promise, until - Date.now(), late);
      try {
        return await inTime(ask(), until - Date.now(), late);
      } catch (error) {
        const again = error.code === "connection_lost" ? repeat : error.retryable;
        if (!again || error === late || this.state === "closed") throw error;
      }
      await wait(pause(attempt, 100, 2_000));
    }
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

  #open() {
    clearTimeout(this.#retry);
    const { username, token, durable } = this.#options;
    const url = this.#urls[this.#turn++ % this.#urls.length];
    const query = new URLSearchParams({
      welcome: "1", ...(!token && { username }), ...(durable && { durable: "1" }),
    });
    const socket = new this.#WebSocket(`${url}?${query}`, ["chat.json"]);
    const session = { socket, url, since: 0, heard: 0, over: false, moving: false, probing: false };
    this.#session = session;
    this.#setState("connecting", { url });
    session.timeout = setTimeout(() => this.#lost(session, 0, "no answer in time"), OPEN_WITHIN);
    socket.onmessage = ({ data }) => {
      clearTimeout(session.timeout);
      if (!session.over) this.#take(session, data);
    };
    socket.onclose = ({ code, reason }) =>
      this.#lost(session, code, reason || `closed with code ${code}`);
    socket.onerror = () => this.#lost(session, 0, "no connection"); // a close need not follow
  }

  #lost(session, code, reason) {
    if (session.over) return;
    this.#end(connectionLost());
    if (UNWANTED.has(code)) {
      this.finish(reason);
      return;
    }
    const lasted = session.since ? Date.now() - session.since : 0;
    this.#attempts = lasted > STABLE_AFTER ? 0 : this.#attempts + 1;
    const inMs = session.moving ? 0 : Math.round(pause(this.#attempts, FIRST_PAUSE, LONGEST_PAUSE));
    this.#retry = setTimeout(() => this.#open(), inMs);
    this.#setState("reconnecting", { inMs, reason });
  }

  /** The present connection is over, with all that was asked on it. */
  #end(error) {
    const session = this.#session;
    this.#session = null;
    if (session) {
      session.over = true;
      clearTimeout(session.timeout);
      session.socket.close();
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

  /** The first frame is here: say who one is, and go on where one was. */
  async #start(session) {
    session.since = Date.now();
    try {
      await this.#sayWho();
      this.#setState("connected", { url: session.url, again: this.#again });
      this.#keepAlive(session);
      if (this.#again) await this.#handler.back();
    } catch (error) {
      if (session.over) return;
      if (error.retryable) this.#lost(session, 0, error.message);
      else this.finish(error.message, error.code);
      return;
    }
    if (session.over) return;
    this.#again = true;
    this.ready.resolve();
    this.#opened.resolve();
    this.#handler.ready();
  }

  /** The query names one already; asked again, it is known that the name was taken. */
  async #sayWho() {
    const { token, username } = this.#options;
    if (!token) await this.ask("setUsername", { username });
    else await this.ask("authenticate", { token: typeof token === "function" ? await token() : token });
  }

  #wake = () => this.reconnectNow();

  /** Ask something cheap: a connection may be dead without knowing it. */
  #probe = () => {
    const session = this.#session;
    if (this.state !== "connected" || session.probing) return;
    session.probing = true;
    const asked = this.ask("setUsername", { username: this.#options.username });
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
    }
    if (!session.since) this.#start(session);
    if (frame.event === "reply" || frame.event === "error") this.#answer(frame);
    else {
      this.#beside.set(frame.event, frame.data);
      this.#handler.frame(frame);
    }
  }

  #answer({ event, id, data }) {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    if (event === "reply") {
      request?.resolve(request.settle(data, this.#beside.get(BESIDE[request.event])));
      return;
    }
    const error = new ParleyError(data.code, data.message, data.retryable);
    if (request) request.reject(error);
    else this.#emit("error", error);
  }
}
