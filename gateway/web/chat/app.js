/**
 * The page: signing in, then conversations. Where one is stands in the address, after `#`.
 *
 * `<parley-app auth="open">`: people say who they are. `auth="jwt"`: a token does, which an
 * application's own page gives by `window.parleyToken` (as the client's option `token`), or which
 * one pastes; it is not kept. `guests="on"`: one may come without.
 */

import { Parley } from "../client/parley.js";
import "./conversation-view.js";
import { h } from "./dom.js";
import { find } from "./find-dialogs.js";
import { Memory, storage } from "./memory.js";
import { Notifier } from "./notifier.js";
import "./side-bar.js";
import { said } from "./sign-in.js";
import { Store } from "./store.js";

/** The room for those who are in none, if there is one, or no room at all. */
const FIRST_ROOM = "general";
/** The server that this page is from. */
const SERVER = new URL("..", import.meta.url);
/** Milliseconds for which a passing word is shown. */
const SAID_FOR = 6_000;

class App extends HTMLElement {
  #storage = storage();
  #store = null;
  #client = null;
  #offs = [];

  connectedCallback() {
    this.spoken = h("div.hidden", { "aria-live": "polite", role: "log" });
    this.toast = h("div.toast", { role: "alert", hidden: true });
    this.place = h("div.page", {});
    this.append(this.place, this.spoken, this.toast);
    window.addEventListener("hashchange", () => this.#store && this.#route());
    document.addEventListener("keydown", (event) => this.#store && this.#key(event));
    const name = this.#way === "name" ? Memory.name(this.#storage) : null;
    const who = this.#way === "application" ? { token: globalThis.parleyToken } : name && { username: name };
    this.#ask({ name: name ?? "" });
    if (who) this.#enter(who).catch((error) => this.#ask({ name: name ?? "", problem: said(error) }));
  }

  /** People say who they are: then who is in a room may do what else its moderators may. */
  get isOpen() {
    return this.#way === "name";
  }

  /** How one shows who one is. */
  get #way() {
    if (globalThis.parleyToken) return "application";
    return this.getAttribute("auth") === "jwt" ? "token" : "name";
  }

  /** Show a conversation; null shows the list on a phone. */
  go(name) {
    const hash = name === null ? "#/" : `#/${name[0] === "#" ? "room" : "user"}/${encodeURIComponent(name.slice(1))}`;
    if (location.hash === hash) this.#route();
    else location.hash = hash;
  }

  /** A passing word. */
  say(words) {
    clearTimeout(this.saying);
    this.toast.textContent = words;
    this.toast.hidden = false;
    this.saying = setTimeout(() => { this.toast.hidden = true; }, SAID_FOR);
  }

  signOut() {
    Memory.setName(this.#storage, null);
    this.#leave();
    history.replaceState(null, "", "#/");
    this.#ask();
  }

  /** Close what is shown of somebody. */
  #leave() {
    for (const off of this.#offs.splice(0)) off();
    const client = this.#client;
    this.#client = this.#store = null;
    client.close();
    document.title = "Parley";
  }

  #ask(more = {}) {
    const way = this.#way;
    const guest = way === "token" && this.getAttribute("guests") === "on" ? () => this.#enter({ guest: true }) : null;
    const who = { name: (username) => ({ username }), token: (token) => ({ token }), application: () => ({ token: globalThis.parleyToken }) }[way];
    this.sign = document.createElement("sign-in").init(way, (given) => this.#enter(who(given)), { ...more, guest });
    this.place.replaceChildren(this.sign);
    this.sign.focus();
  }

  /** Come in as somebody; rejects where the server does not let them. */
  async #enter(who) {
    const client = new Parley(SERVER, { ...who, durable: true, storage: this.#storage });
    this.#client?.close();
    this.#client = client;
    // What is known can be read, and written to, while it connects.
    const known = who.username !== undefined && Memory.name(this.#storage) === who.username;
    if (known) this.#show(client, who);
    client.on("state", ({ state, reason }) => this.sign.tell(
      { connecting: "Connecting", reconnecting: `Not connected: ${reason}. Trying again.` }[state] ?? ""));
    try {
      await client.connect();
    } catch (error) {
      if (this.#client !== client) return; // signed out meanwhile
      Memory.setName(this.#storage, null);
      this.#store = null;
      throw error;
    }
    if (this.#client !== client) return;
    if (who.username) Memory.setName(this.#storage, who.username);
    if (!known) this.#show(client, who);
    client.on("unauthorized", (problem) => this.#expired(client, problem));
    await this.#begin(this.#store);
  }

  /** Nobody believes any more who one is: what was written is kept for when one is back. */
  #expired(client, { message }) {
    if (this.#client !== client) return;
    this.#leave();
    this.#ask({ problem: said({ code: "unauthorized", message }) });
  }

  #show(client, { guest = false }) {
    const store = new Store(client, new Memory(guest ? null : this.#storage, client.username));
    this.#store = store;
    const notifier = new Notifier(this, store);
    this.side = document.createElement("side-bar").init(this, store, notifier);
    this.view = document.createElement("conversation-view").init(this, store);
    this.nothing = h("div.nothing", {}, h("p", {}, "Choose a conversation, or begin one."),
      h("button.primary", { type: "button", onclick: () => find(this, store) }, "Find rooms and people"));
    this.place.replaceChildren(h("main.chat", {}, this.side, h("div.pane", {},
      h("h1.hidden", {}, "Parley"), // on a phone, where the list that has it is not shown
      this.view, this.nothing)));
    this.#offs = [
      store.on("failed", (error) => this.say(error.message)),
      store.on("open", () => this.#opened()),
      store.on("news", (news) => this.#speak(news)),
    ];
    this.#route();
  }

  async #begin(store) {
    const known = Object.keys(store.memory.rooms).length > 0;
    await store.start();
    // Asked after every wait: one may have gone somewhere, or signed out, meanwhile.
    const isElsewhere = () => this.#store !== store || location.hash.length > 2;
    if (known || isElsewhere()) return;
    // Nobody begins in front of an empty page: the first room is made if there is none at all.
    try {
      const rooms = await store.client.rooms();
      if (isElsewhere()) return;
      if (rooms.length === 0) await store.client.createRoom(FIRST_ROOM).catch(() => {});
      const open = rooms.length === 0 || rooms.some(({ name, protected: shut }) => name === FIRST_ROOM && !shut);
      if (open && !isElsewhere()) this.go(`#${FIRST_ROOM}`);
    } catch {
      // The connection was lost meanwhile; the list has a button for each of these.
    }
  }

  #route() {
    const [, kind, rest] = /^#\/(room|user)\/(.+)$/su.exec(location.hash) ?? [];
    let title = "";
    try {
      title = decodeURIComponent(rest ?? "");
    } catch {
      // Not an address of ours.
    }
    const name = title && `${kind === "room" ? "#" : "@"}${title}`;
    this.#store.open(name && name !== `@${this.#store.me}` ? name : null);
  }

  #opened() {
    const { current } = this.#store;
    this.place.firstElementChild.classList.toggle("reading", current !== null);
    this.view.hidden = current === null;
    this.nothing.hidden = current !== null;
    if (current === null) return;
    this.view.show(this.#store.conversation(current));
    if (!document.querySelector("dialog[open]")) this.view.focus();
  }

  /** What comes in, for those who listen. */
  #speak({ conversation, message }) {
    if (conversation.isMine(message)) return;
    const here = conversation.name === this.#store.current;
    const where = here ? "" : conversation.isRoom ? ` in ${conversation.title}` : ", direct";
    this.spoken.append(h("p", {}, `${message.sender}${where}: ${message.content.slice(0, 500)}`));
    while (this.spoken.children.length > 5) this.spoken.firstElementChild.remove();
  }

  #key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) find(this, this.#store);
    } else if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      event.preventDefault();
      const next = this.side.neighbour(event.key === "ArrowUp" ? -1 : 1);
      if (next) this.go(next);
    } else if (event.key === "Escape" && !document.querySelector("dialog[open]") && this.#store.current) {
      this.view.focus();
    }
  }
}

customElements.define("parley-app", App);
