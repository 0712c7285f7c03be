/** Where one is connected, or when it is tried again. */

import { h } from "./dom.js";
import { count } from "./text.js";

/** Milliseconds for which it says that it caught up. */
const CAUGHT_UP_FOR = 6_000;

export class ConnectionSign extends HTMLElement {
  #client;
  #until = 0;
  #timer = null;
  #caughtUp = null;
  #offs = [];

  init(client) {
    this.#client = client;
    this.words = h("span", { role: "status" });
    // Counted down for the eye only: a word each second would be too many to listen to.
    this.seconds = h("span", { "aria-hidden": "true" });
    this.button = h("button.link", { type: "button", hidden: true, onclick: () => client.reconnectNow() }, "Try now");
    this.append(h("span.dot", { "aria-hidden": "true" }), this.words, this.seconds, this.button);
    this.#offs = [
      client.on("state", (event) => this.#state(event)),
      client.on("caughtUp", ({ messages }) => this.#back(messages)),
    ];
    this.#state({ state: client.state, gateway: client.gateway });
    return this;
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    clearTimeout(this.#caughtUp);
    for (const off of this.#offs) off();
  }

  #state({ state, gateway, inMs = 0 }) {
    clearInterval(this.#timer);
    clearTimeout(this.#caughtUp);
    const was = this.dataset.state;
    // Between two attempts it goes on to be a lost connection.
    const shown = state === "connecting" && was === "reconnecting" ? was : state;
    this.dataset.state = shown;
    this.#until = Date.now() + inMs;
    this.button.hidden = state !== "reconnecting" || inMs < 1000;
    this.seconds.textContent = "";
    this.#say({
      idle: "Not connected", connecting: "Connecting", connected: gateway ? `Connected to ${gateway}` : "Connected",
      reconnecting: "Reconnecting", closed: "Signed out",
    }[shown]);
    if (state !== "reconnecting" || inMs < 1000) return;
    const tick = () => {
      const left = Math.max(0, Math.ceil((this.#until - Date.now()) / 1000));
      this.seconds.textContent = left ? `in ${left} s` : "";
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }

  #back(messages) {
    if (messages === 0) return;
    this.#say(`Caught up: ${count(messages, "message")}`);
    const { gateway } = this.#client;
    this.#caughtUp = setTimeout(() => this.#say(`Connected to ${gateway}`), CAUGHT_UP_FOR);
  }

  #say(words) {
    if (this.words.textContent !== words) this.words.textContent = words;
  }
}

customElements.define("connection-sign", ConnectionSign);
