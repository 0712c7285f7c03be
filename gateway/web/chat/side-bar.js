/** The list of conversations and of users who are online, with the user's own name below. */

import "./connection-sign.js";
import { avatar, h, icon, iconButton } from "./dom.js";
import { showKeys } from "./dialogs.js";
import { addChat, addRoom, find } from "./find-dialogs.js";
import { count, recently, typingLine } from "./text.js";

const MAX_SHOWN_UNREAD = 99;

export class SideBar extends HTMLElement {
  #app;
  #store;
  #drawn = "";

  init(app, store, notifier) {
    this.#app = app;
    this.#store = store;
    const sign = document.createElement("connection-sign").init(store.client);
    const bell = iconButton("bellOff", "Notifications", () => notifier.toggle());
    notifier.onchange = (on) => {
      bell.replaceChildren(icon(on ? "bell" : "bellOff"));
      bell.setAttribute("aria-pressed", String(on));
    };
    notifier.onchange(notifier.on);
    this.me = h("span.myself", {});
    this.nav = h("nav", {
      "aria-label": "Conversations", onkeydown: (event) => this.#key(event), onpointerdown: () => this.#press(),
    });
    this.append(
      h("header", {}, h("h1", {}, "Parley"),
        iconButton("search", "Go to a conversation", () => find(app, store))),
      this.nav,
      h("footer", {},
        h("div.me", {}, this.me, bell,
          h("button.icon-button", { type: "button", "aria-label": "Keyboard", title: "Keyboard", onclick: showKeys }, "?"),
          iconButton("exit", "Sign out", () => app.signOut())),
        sign));
    store.on("list", () => this.#scheduleDraw());
    store.on("conversation", ({ what }) => what === "typing" && this.#scheduleDraw());
    this.draw();
    return this;
  }

  /**
   * Draw once for all changes of a frame, but not while the pointer is down: a button that is
   * replaced between press and release gets no click.
   */
  #scheduleDraw() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      if (!this.pressed) this.draw();
    });
  }

  #press() {
    const release = () => {
      this.pressed = false;
      this.#scheduleDraw();
    };
    this.pressed = true;
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, release, { once: true });
  }

  draw() {
    const { rooms, chats, online, me, conversations, current } = this.#store;
    const others = [...online].filter((user) => user !== me && !conversations.has(`@${user}`)).sort((a, b) => a.localeCompare(b));
    const state = JSON.stringify([me, [...rooms, ...chats].map((conversation) => this.#facts(conversation)), [...online], current]);
    if (state === this.#drawn) return;
    this.#drawn = state;
    this.me.replaceChildren(avatar(me, true), h("span.name", {}, me));
    const focused = document.activeElement?.closest?.("[data-place]")?.dataset.place;
    this.nav.replaceChildren(
      this.#group("Rooms", "Create or join a room", () => addRoom(this.#app, this.#store), rooms.map((room) => this.#item(room))),
      this.#group("Direct chats", "New direct chat", () => addChat(this.#app, this.#store), chats.map((chat) => this.#item(chat))),
      ...(others.length ? [this.#group("Online", null, null, others.map((user) => this.#person(user)))] : []));
    if (focused) this.nav.querySelector(`[data-place="${CSS.escape(focused)}"]`)?.focus();
  }

  /** The conversation before or after the open one, in the order shown. */
  neighbour(step) {
    const places = [...this.nav.querySelectorAll("[data-place]")].map((item) => item.dataset.place);
    const at = places.indexOf(this.#store.current);
    return places[(at + step + places.length) % places.length];
  }

  #facts({ name, unread, typing, draft, last, locked, isBanned }) {
    return [name, unread, typing, draft !== "", last?.id, last?.clientMsgId, last?.content, locked, isBanned];
  }

  #group(title, action, onclick, items) {
    const id = `group-${title.toLowerCase().replace(" ", "-")}`;
    return h("section", { "aria-labelledby": id },
      h("div.group", {}, h("h2", { id }, title), action && iconButton("plus", action, onclick)),
      items.length ? h("ul", {}, ...items) : h("p.empty", {}, title === "Rooms" ? "You have not joined a room yet." : "None yet."));
  }

  #item(conversation) {
    const { name, title, label, isRoom, unread, typing, locked, draft } = conversation;
    const current = name === this.#store.current;
    return h("li", {}, h(`button.place${unread ? ".unread" : ""}`, {
      type: "button", "data-place": name, "aria-current": current ? "true" : undefined, onclick: () => this.#app.go(name),
    },
    isRoom ? h("span.sign", {}, icon(locked ? "lock" : "hash")) : avatar(title, this.#store.online.has(title)),
    h("span.words", {}, h("span.title", {}, label),
      h("span.preview", {}, typing.length ? `${typingLine(typing)}…` : draft && !current ? `Draft: ${draft}` : this.#preview(conversation))),
    h("span.side", {}, h("span.when", {}, conversation.last ? recently(conversation.last.createdAt) : ""),
      unread > 0 && h("span.badge", {}, h("span", { "aria-hidden": "true" }, unread > MAX_SHOWN_UNREAD ? `${MAX_SHOWN_UNREAD}+` : String(unread)),
        h("span.hidden", {}, count(unread, "unread message"))))));
  }

  #preview(conversation) {
    const { last, isRoom, isBanned } = conversation;
    if (isBanned) return "You are banned";
    if (!last) return isRoom ? "" : "No messages yet";
    const who = conversation.isNotes ? "" : conversation.isMine(last) ? "You: " : isRoom ? `${last.sender}: ` : "";
    return `${who}${last.content.slice(0, 120)}`;
  }

  #person(user) {
    return h("li", {}, h("button.place", { type: "button", "data-place": `@${user}`, onclick: () => this.#app.go(`@${user}`) },
      avatar(user, true), h("span.words", {}, h("span.title", {}, user))));
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey) return;
    const items = [...this.nav.querySelectorAll(".place")];
    items[items.indexOf(document.activeElement) + step]?.focus();
    event.preventDefault();
  }
}

customElements.define("side-bar", SideBar);
