/**
 * The chat page: the sign-in form, then the conversations. The open conversation is in the address,
 * after `#`.
 *
 * `<parley-app auth="open">`: users choose a name. `auth="jwt"`: users need a token. An application's
 * own page sets it as `window.parleyToken` (as for the client's option `token`); otherwise users
 * paste it. The page does not store it. `guests="on"`: users without a token may come as guests.
 */

import { Parley } from "../client/parley.js";
import "./conversation-view.js";
import { h } from "./dom.js";
import { find } from "./find-dialogs.js";
import { Memory, storage } from "./memory.js";
import { Notifier } from "./notifier.js";
import "./side-bar.js";
import { explainSignIn } from "./sign-in.js";
import { Store } from "./store.js";

/** The room that a new user is shown. It is made if the server has no room at all. */
const FIRST_ROOM = "general";
/** The address of the server that this page came from. */
const SERVER = new URL("..", import.meta.url);
/** Milliseconds for which a short notice is shown. */
const TOAST_MS = 6_000;

/** The part of the address that opens a conversation; null opens none. */
const hashOf = (name) => (name === null ? "#/" : `#/${name[0] === "#" ? "room" : "user"}/${encodeURIComponent(name.slice(1))}`);

class App extends HTMLElement {
  #storage = storage();
  #store = null;
  #client = null;
  #unsubscribers = [];

  connectedCallback() {
    this.announcer = h("div.hidden", { "aria-live": "polite", role: "log" });
    this.toast = h("div.toast", { role: "alert", hidden: true });
    this.place = h("div.page", {});
    this.append(this.place, this.announcer, this.toast);
    window.addEventListener("hashchange", () => this.#store && this.#route());
    document.addEventListener("keydown", (event) => this.#store && this.#key(event));
    const name = this.#signInMethod === "name" ? Memory.name(this.#storage) : null;
    const identity = this.#signInMethod === "application" ? { token: globalThis.parleyToken } : name && { username: name };
    this.#showSignIn({ name: name ?? "" });
    if (identity) {
      this.#signIn(identity)
        .catch((error) => this.#showSignIn({ name: name ?? "", problem: explainSignIn(error) }));
    }
  }

  /** True if users choose their names: then each member of a room may delete its messages. */
  get isOpen() {
    return this.#signInMethod === "name";
  }

  /** The method of signing in, a key of `METHODS`. */
  get #signInMethod() {
    if (globalThis.parleyToken) return "application";
    return this.getAttribute("auth") === "jwt" ? "token" : "name";
  }

  /** Show a conversation; null shows the list on a phone. */
  go(name) {
    const hash = hashOf(name);
    if (location.hash === hash) this.#route();
    else location.hash = hash;
  }

  /** Show a short notice. */
  showToast(words) {
    clearTimeout(this.toastTimer);
    this.toast.textContent = words;
    this.toast.hidden = false;
    this.toastTimer = setTimeout(() => { this.toast.hidden = true; }, TOAST_MS);
  }

  signOut() {
    Memory.setName(this.#storage, null);
    this.#reset();
    history.replaceState(null, "", "#/");
    this.#showSignIn();
  }

  /** Close the client, and forget the user that is shown. */
  #reset() {
    for (const unsubscribe of this.#unsubscribers.splice(0)) unsubscribe();
    const client = this.#client;
    this.#client = this.#store = null;
    client.close();
    document.title = "Parley";
  }

  #showSignIn(options = {}) {
    const method = this.#signInMethod;
    const guest = method === "token" && this.getAttribute("guests") === "on" ? () => this.#signIn({ guest: true }) : null;
    const identityOf = {
      name: (username) => ({ username }),
      token: (token) => ({ token }),
      application: () => ({ token: globalThis.parleyToken }),
    }[method];
    this.form = document.createElement("sign-in").init(method, (value) => this.#signIn(identityOf(value)), { ...options, guest });
    this.place.replaceChildren(this.form);
    this.form.focus();
  }

  /** Connect as a user. Rejects if the server refuses the name or the token. */
  async #signIn(identity) {
    const client = new Parley(SERVER, { ...identity, durable: true, storage: this.#storage });
    this.#client?.close();
    this.#client = client;
    // A user who was here before sees the conversations, and can write, while the client connects.
    const known = identity.username !== undefined && Memory.name(this.#storage) === identity.username;
    if (known) this.#show(client, identity);
    client.on("state", ({ state, reason }) => this.form.showStatus(
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
    if (identity.username) Memory.setName(this.#storage, client.username); // as the server spells it
    if (known && client.username !== identity.username) {
      location.reload(); // what is stored of the user is under the server's spelling of the name
      return;
    }
    if (!known) this.#show(client, identity);
    client.on("unauthorized", (problem) => this.#expired(client, problem));
    await this.#start(this.#store);
  }

  /** Go back to the sign-in form because the token is not valid any more. Drafts are kept. */
  #expired(client, { message }) {
    if (this.#client !== client) return;
    this.#reset();
    this.#showSignIn({ problem: explainSignIn({ code: "unauthorized", message }) });
  }

  #show(client, { guest = false }) {
    const store = new Store(client, new Memory(guest ? null : this.#storage, client.username));
    this.#store = store;
    const notifier = new Notifier(this, store);
    this.side = document.createElement("side-bar").init(this, store, notifier);
    this.view = document.createElement("conversation-view").init(this, store);
    this.nothing = h("div.nothing", {}, h("p", {}, "Choose a conversation, or start a new one."),
      h("button.primary", { type: "button", onclick: () => find(this, store) }, "Find rooms and people"));
    this.place.replaceChildren(h("main.chat", {}, this.side, h("div.pane", {},
      h("h1.hidden", {}, "Parley"), // for phones, where the list with the visible heading is hidden
      this.view, this.nothing)));
    this.#unsubscribers = [
      store.on("failed", (error) => this.showToast(error.message)),
      store.on("open", () => this.#opened()),
      store.on("moved", ({ name }) => {
        history.replaceState(null, "", hashOf(name));
        this.#route();
      }),
      store.on("news", (news) => this.#announce(news)),
    ];
    this.#route();
  }

  async #start(store) {
    const known = Object.keys(store.memory.rooms).length > 0;
    await store.start();
    // Checked after each wait: the user may have opened a conversation or signed out meanwhile.
    const isElsewhere = () => this.#store !== store || location.hash.length > 2;
    if (known || isElsewhere()) return;
    // A new user is shown the first room, which is made if there is none.
    try {
      const rooms = await store.client.rooms();
      if (isElsewhere()) return;
      if (rooms.length === 0) await store.client.createRoom(FIRST_ROOM).catch(() => {});
      const canJoin = rooms.length === 0 || rooms.some(({ name, protected: locked }) => name === FIRST_ROOM && !locked);
      if (canJoin && !isElsewhere()) this.go(`#${FIRST_ROOM}`);
    } catch {
      // The connection was lost meanwhile. The user can still create or join a room by hand.
    }
  }

  #route() {
    const [, kind, rest] = /^#\/(room|user)\/(.+)$/su.exec(location.hash) ?? [];
    let title = "";
    try {
      title = decodeURIComponent(rest ?? "");
    } catch {
      // Not an address that this page made: no conversation is shown.
    }
    const name = title && `${kind === "room" ? "#" : "@"}${title}`;
    this.#store.open(name || null);
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

  /** Announce a new message to screen readers. */
  #announce({ conversation, message }) {
    if (conversation.isMine(message)) return;
    const here = conversation.name === this.#store.current;
    const where = here ? "" : conversation.isRoom ? ` in ${conversation.title}` : ", direct";
    this.announcer.append(h("p", {}, `${message.sender}${where}: ${message.content.slice(0, 500)}`));
    while (this.announcer.children.length > 5) this.announcer.firstElementChild.remove();
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
