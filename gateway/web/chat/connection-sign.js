/** The connection sign: the gateway's name, or the time until the next attempt. */

import { h } from "./dom.js";
import { count } from "./text.js";

/** Milliseconds for which the number of missed messages is shown. */
const CAUGHT_UP_MS = 6_000;

export class ConnectionSign extends HTMLElement {
  #client;
  #nextAttemptAt = 0;
  #timer = null;
  #caughtUpTimer = null;
  #unsubscribers = [];

  init(client) {
    this.#client = client;
    this.words = h("span", { role: "status" });
    // Hidden from screen readers, which would read a new number each second.
    this.seconds = h("span", { "aria-hidden": "true" });
    this.button = h("button.link", { type: "button", hidden: true, onclick: () => client.reconnectNow() }, "Try now");
    this.append(h("span.dot", { "aria-hidden": "true" }), this.words, this.seconds, this.button);
    this.#unsubscribers = [
      client.on("state", (event) => this.#showState(event)),
      client.on("caughtUp", ({ messages }) => this.#showCaughtUp(messages)),
    ];
    this.#showState({ state: client.state, gateway: client.gateway });
    return this;
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    clearTimeout(this.#caughtUpTimer);
    for (const unsubscribe of this.#unsubscribers) unsubscribe();
  }

  #showState({ state, gateway, inMs = 0 }) {
    clearInterval(this.#timer);
    clearTimeout(this.#caughtUpTimer);
    const was = this.dataset.state;
    // During an attempt to reconnect, "Reconnecting" stays on the sign.
    const shown = state === "connecting" && was === "reconnecting" ? was : state;
    this.dataset.state = shown;
    this.#nextAttemptAt = Date.now() + inMs;
    this.button.hidden = state !== "reconnecting" || inMs < 1000;
    this.seconds.textContent = "";
    this.#setText({
      idle: "Not connected", connecting: "Connecting", connected: gateway ? `Connected to ${gateway}` : "Connected",
      reconnecting: "Reconnecting", closed: "Signed out",
    }[shown]);
    if (state !== "reconnecting" || inMs < 1000) return;
    const tick = () => {
      const left = Math.max(0, Math.ceil((this.#nextAttemptAt - Date.now()) / 1000));
      this.seconds.textContent = left ? `in ${left} s` : "";
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }

  #showCaughtUp(messages) {
    if (messages === 0) return;
    this.#setText(`Caught up: ${count(messages, "message")}`);
    const { gateway } = this.#client;
    this.#caughtUpTimer = setTimeout(() => this.#setText(`Connected to ${gateway}`), CAUGHT_UP_MS);
  }

  #setText(words) {
    if (this.words.textContent !== words) this.words.textContent = words;
  }
}

customElements.define("connection-sign", ConnectionSign);
