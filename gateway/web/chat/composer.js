/** Where one writes: grows with the text, keeps a draft of each conversation. */

import "./emoji-picker.js";
import { h, iconButton, icon } from "./dom.js";
import { lengthOf } from "./text.js";

/** From which part of the greatest length on it is told how much is left. */
const TELL_FROM = 0.8;

export class MessageComposer extends HTMLElement {
  #store;
  #conversation = null;

  init(store) {
    this.#store = store;
    this.text = h("textarea", {
      rows: "1", autocomplete: "off", enterkeyhint: "send", "aria-describedby": "composer-note",
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onpaste: (event) => this.#paste(event),
    });
    this.note = h("p.note", { id: "composer-note", role: "status" });
    this.picker = document.createElement("emoji-picker").init((emoji) => this.#insert(emoji), () => this.#toggle(false));
    this.picker.hidden = true;
    this.smile = iconButton("smile", "Emoji", () => this.#toggle(this.picker.hidden), { "aria-expanded": "false" });
    this.button = h("button.send", { type: "submit", "aria-label": "Send", title: "Send" }, icon("send"));
    this.form = h("form", { onsubmit: (event) => this.#submit(event) },
      h("div.field", {}, this.smile, this.text, this.button), this.picker, this.note);
    this.append(this.form);
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.picker.hidden && !this.contains(target)) this.#toggle(false, false);
    });
    return this;
  }

  show(conversation) {
    this.#conversation = conversation;
    const label = conversation.isRoom ? `Message #${conversation.title}` : `Message ${conversation.title}`;
    this.text.setAttribute("aria-label", label);
    this.text.placeholder = label;
    this.text.value = conversation.draft;
    this.#toggle(false, false);
    this.#looks();
  }

  focus() {
    this.text.focus();
    // A dialog that has just gone may have taken the caret with it, though not the focus.
    this.text.setSelectionRange(this.text.value.length, this.text.value.length);
  }

  #typed() {
    this.#store.setDraft(this.#conversation, this.text.value);
    if (this.text.value.trim()) this.#store.client.typing(this.#conversation.name);
    this.#looks();
  }

  /** As high as its text, and whether it can be sent. */
  #looks(hint = "") {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
    const most = this.#store.client.maxContent;
    const length = lengthOf(this.text.value.trim());
    const over = length > most;
    this.button.disabled = length === 0 || over;
    this.classList.toggle("over", over);
    const words = `${length.toLocaleString()} of ${most.toLocaleString()} characters`;
    const told = over ? `${words}: too long to send` : length > most * TELL_FROM ? words : "";
    const note = hint || told;
    if (this.note.textContent !== note) this.note.textContent = note;
  }

  #key(event) {
    // A phone's keyboard has no Shift to hold: there, Enter begins a new line.
    const touch = matchMedia("(hover: none) and (pointer: coarse)").matches;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  /** Text is pasted as text; what is none cannot be sent. */
  #paste(event) {
    const { items } = event.clipboardData;
    if (items.length && ![...items].some(({ kind }) => kind === "string")) {
      event.preventDefault();
      this.#looks("Only text can be sent.");
    }
  }

  #submit(event) {
    event.preventDefault();
    const content = this.text.value.trim();
    if (this.button.disabled || !content) return;
    this.text.value = "";
    this.#store.setDraft(this.#conversation, "");
    this.#looks();
    this.#store.send(this.#conversation, content);
    this.dispatchEvent(new CustomEvent("sent"));
    this.text.focus();
  }

  #insert(emoji) {
    this.text.setRangeText(emoji, this.text.selectionStart, this.text.selectionEnd, "end");
    this.#typed();
  }

  #toggle(open, focus = true) {
    this.picker.hidden = !open;
    this.smile.setAttribute("aria-expanded", String(open));
    if (open) this.picker.focus();
    else if (focus) this.text.focus();
  }
}

customElements.define("message-composer", MessageComposer);
