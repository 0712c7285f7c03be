/** The page: signing in, then conversations. Where one is stands in the address, after `#`. */

import { Parley } from "../client/parley.js";
import "./conversation-view.js";
import { h } from "./dom.js";
import { find } from "./find-dialogs.js";
import { Memory, storage } from "./memory.js";
import { Notifier } from "./notifier.js";
import "./side-bar.js";
import "./sign-in.js";
import { Store } from "./store.js";

/** The room for those who are in none, if there is one, or no room at all. */
const FIRST_ROOM = "general";
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
    const name = Memory.name(this.#storage);
    if (name === null) this.#ask();
    else this.#enter(name).catch((error) => this.#ask(name, error.message));
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
    for (const off of this.#offs) off();
    this.#client.close();
    this.#client = this.#store = null;
    history.replaceState(null, "", "#/");
    document.title = "Parley";
    this.#ask();
  }

  #ask(name = "", problem = "") {
    const sign = document.createElement("sign-in").init((given) => this.#enter(given), name, problem);
    this.place.replaceChildren(sign);
    sign.focus();
  }

  /** Come in as somebody; rejects where the server does not take the name. */
  async #enter(name) {
    const client = new Parley(new URL(".", document.baseURI), { username: name, durable: true, storage: this.#storage });
    const store = new Store(client, new Memory(this.#storage, name));
    const known = Memory.name(this.#storage) === name;
    this.#client = client;
    if (known) this.#show(store); // what is known can be read, and written to, while it connects
    try {
      await client.connect();
    } catch (error) {
      if (this.#client !== client) return; // signed out meanwhile
      Memory.setName(this.#storage, null);
      this.#store = null;
      throw error;
    }
    Memory.setName(this.#storage, name);
    if (!known) this.#show(store);
    await this.#begin(store);
  }

  #show(store) {
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
    if (known || location.hash.length > 2) return;
    // Nobody begins in front of an empty page: the first room is made if there is none at all.
    try {
      const rooms = await store.client.rooms();
      if (rooms.length === 0) await store.client.createRoom(FIRST_ROOM).catch(() => {});
      const open = rooms.length === 0 || rooms.some(({ name, protected: shut }) => name === FIRST_ROOM && !shut);
      if (open) this.go(`#${FIRST_ROOM}`);
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
