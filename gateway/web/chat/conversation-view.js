/** The open conversation: its heading, its messages and the text field. */

import "./composer.js";
import "./connection-sign.js";
import "./message-list.js";
import { avatar, h, icon, iconButton, present } from "./dom.js";
import { askToConfirm, field, form } from "./dialogs.js";
import { explain } from "./find-dialogs.js";
import { manageRoom } from "./room-rules.js";
import { typingLine } from "./text.js";
import { MAX_PASSWORD_CHARACTERS } from "../client/constants.js";

const ROLES = { owner: " · you own it", moderator: " · you moderate it" };

export class ConversationView extends HTMLElement {
  #app;
  #store;
  #shown = null;
  #gated = null;
  #wasLoaded = false; // its messages were loaded when it was opened

  init(app, store) {
    this.#app = app;
    this.#store = store;
    this.head = h("header.head", {});
    this.list = document.createElement("message-list").init(store, {
      remove: (item) => this.#remove(item),
      resend: (item) => store.client.resend(item.clientMsgId),
      edit: (item) => this.#edit(item),
      discard: (item) => store.client.discard(item.clientMsgId),
      seenBy: (item) => this.#seenBy(item),
    });
    this.typing = h("p.typing", { role: "status" });
    this.composer = document.createElement("message-composer").init(store);
    this.composer.addEventListener("sent", () => this.list.toEnd());
    this.gate = h("div.gate", { hidden: true });
    // On a phone the list, with its connection sign, is hidden. This one is shown while there is no connection.
    const sign = document.createElement("connection-sign").init(store.client);
    this.append(this.head, sign, this.list, this.gate, this.typing, this.composer);
    store.on("conversation", (event) => event.name === this.#shown?.name && this.#changed(event));
    store.on("list", () => this.#shown && this.#drawHead());
    for (const type of ["focus", "visibilitychange"]) window.addEventListener(type, () => this.list.pageShown());
    document.addEventListener("visibilitychange", () => this.list.pageShown());
    return this;
  }

  show(conversation) {
    this.#shown = conversation;
    this.#wasLoaded = conversation.loaded;
    conversation.markUnread();
    this.#drawHead();
    this.#drawGate();
    this.#drawTyping();
    this.composer.show(conversation);
    this.list.show(conversation);
  }

  focus() {
    if (this.gate.hidden) this.composer.focus();
    else this.gate.querySelector("input, button")?.focus();
  }

  #changed({ what, added }) {
    if (what === "typing") this.#drawTyping();
    else if (what === "older") this.list.prepended(added);
    else if (!this.#wasLoaded && this.#shown.loaded) this.show(this.#shown);
    else this.list.render();
    this.#drawGate();
  }

  #drawHead() {
    const { title, label, isRoom, locked, name, loaded, role, isBanned } = this.#shown;
    const here = this.#store.online.has(title);
    const state = JSON.stringify([name, locked, here, loaded, role, isBanned]);
    if (this.head.dataset.state === state) return;
    this.head.dataset.state = state;
    this.head.replaceChildren(...present([
      iconButton("back", "Back to the list", () => this.#app.go(null), { class: "icon-button back" }),
      isRoom ? h("span.sign", {}, icon(locked ? "lock" : "hash")) : avatar(title, here),
      h("div.words", {}, h("h2", { tabindex: "-1" }, label),
        h("p.quiet", {}, this.#subtitle(here))),
      role && loaded && iconButton("people", "Manage room", () => manageRoom(this.#store, this.#shown)),
      (role || this.#app.isOpen) && isRoom && loaded && iconButton("trash", "Delete all messages", () => this.#clear()),
      isRoom && !isBanned && iconButton("exit", "Leave room", () => this.#leave()),
    ]));
  }

  #subtitle(here) {
    const { isRoom, locked, role, isBanned, isNotes } = this.#shown;
    if (isBanned) return "You are banned";
    if (isRoom) return `${locked ? "Locked room" : "Open room"}${ROLES[role] ?? ""}`;
    if (isNotes) return "Only you see them";
    return here ? "Online" : "Offline";
  }

  #drawTyping() {
    const line = typingLine(this.#shown.typing);
    if (this.typing.textContent !== line) this.typing.textContent = line;
  }

  /** Show the reason why the user is not in the room, in place of the messages. */
  #drawGate() {
    const { gate } = this.#shown;
    this.gate.hidden = gate === null;
    this.list.hidden = this.composer.hidden = this.typing.hidden = gate !== null;
    // After another failed try the form stays, with what the user has typed.
    const gated = gate && JSON.stringify([this.#shown.name, this.#shown.isBanned, this.#shown.wasRemoved]);
    if (gated === this.#gated) return;
    this.#gated = gated;
    this.gate.replaceChildren(...(gate ? this.#gateCard() : []));
    if (gate && !document.querySelector("dialog[open]")) this.gate.querySelector("input")?.focus();
  }

  #gateCard() {
    const conversation = this.#shown;
    const { title, isBanned, wasRemoved, locked, gate } = conversation;
    const card = (sign, heading, reason, ...more) => [h("div.card", {}, icon(sign), h("h3", {}, heading), h("p.quiet", {}, reason), ...more,
      h("button.link", { type: "button", onclick: () => this.#store.leave(title) }, "Remove from the list"))];
    if (isBanned) return card("warn", `You are banned from ${title}`, "Only the owner of the room can lift the ban.");
    if (!wasRemoved) return card("lock", `${title} is locked`, "Enter its password to join. The room may also not exist.", this.#joinForm(true));
    const reason = `${gate.message[0].toUpperCase()}${gate.message.slice(1)}.`;
    return card("exit", `You are not in ${title} any more`, reason, this.#joinForm(locked));
  }

  #joinForm(locked) {
    const { title } = this.#shown;
    const password = field("Password", { type: "password", maxlength: MAX_PASSWORD_CHARACTERS, autocomplete: "current-password" });
    return form("Join", locked ? [password.label] : [], async () => {
      await this.#store.join(title, { password: password.input.value });
      this.composer.focus();
    }, explain);
  }

  #seenBy(item) {
    const { seenBy, isRoom } = this.#shown;
    const users = [...seenBy].filter(([, seq]) => seq >= item.seq).map(([user]) => user);
    return isRoom ? users.join(", ") : "";
  }

  /** Take a message that was not sent back into the text field. */
  #edit({ clientMsgId, content }) {
    this.#store.client.discard(clientMsgId);
    this.composer.takeBack(content);
  }

  #remove(item) {
    const text = item.content.length > 80 ? `${item.content.slice(0, 80)}…` : item.content;
    askToConfirm("Delete this message?", `“${text}” is deleted for everyone.`, "Delete",
      () => this.#try(this.#store.client.deleteMessage(item.id)));
  }

  #clear() {
    const { title } = this.#shown;
    askToConfirm(`Delete all messages in ${title}?`, "They are deleted for everyone. This cannot be undone.",
      "Delete all", () => this.#try(this.#store.client.clear(title)));
  }

  #leave() {
    const { title } = this.#shown;
    askToConfirm(`Leave ${title}?`, "You can join it again at any time.", "Leave", () => this.#try(this.#store.leave(title)));
  }

  #try(promise) {
    promise.catch((error) => this.#app.showToast(explain(error)));
    this.composer.focus();
  }
}

customElements.define("conversation-view", ConversationView);
