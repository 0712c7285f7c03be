/** The text field: grows with its text, and keeps a draft for each conversation. */

import "./emoji-picker.js";
import { h, iconButton, icon } from "./dom.js";
import { lengthOf } from "./text.js";

/** The length is shown from this fraction of the maximum on. */
const SHOW_LENGTH_FROM = 0.8;
/** Halves of surrogate pairs, and NUL. */
const UNSENDABLE = /\p{Surrogate}|\0/gu;

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
    const label = conversation.isNotes ? "Write a note" : `Message ${conversation.isRoom ? "#" : ""}${conversation.title}`;
    this.text.setAttribute("aria-label", label);
    this.text.placeholder = label;
    this.text.value = conversation.draft;
    this.#toggle(false, false);
    this.#update();
  }

  focus() {
    this.text.focus();
    // After a dialog has closed, the field may have the focus and no caret.
    this.text.setSelectionRange(this.text.value.length, this.text.value.length);
  }

  /** Put a text before what is written already. What no message can hold is replaced by a sign that can be seen. */
  takeBack(text) {
    this.text.value = [text.replace(UNSENDABLE, "\ufffd"), this.text.value].filter(Boolean).join("\n");
    this.#store.setDraft(this.#conversation, this.text.value);
    this.#update();
    this.focus();
  }

  #typed() {
    this.#store.setDraft(this.#conversation, this.text.value);
    if (this.text.value.trim()) this.#store.client.typing(this.#conversation.name);
    this.#update();
  }

  /** Set the height of the field, the state of the button, and the note below. */
  #update(hint = "") {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
    const max = this.#store.client.maxContent;
    const length = lengthOf(this.text.value.trim());
    const tooLong = length > max;
    this.button.disabled = length === 0 || tooLong;
    this.classList.toggle("over", tooLong);
    const words = `${length.toLocaleString()} of ${max.toLocaleString()} characters`;
    const lengthNote = tooLong ? `${words}: too long to send` : length > max * SHOW_LENGTH_FROM ? words : "";
    const note = hint || lengthNote;
    if (this.note.textContent !== note) this.note.textContent = note;
  }

  #key(event) {
    // A phone's keyboard has no Shift + Enter, so Enter begins a new line there.
    const touch = matchMedia("(hover: none) and (pointer: coarse)").matches;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  /** Refuse a paste that has no text, such as a picture. */
  #paste(event) {
    const { items } = event.clipboardData;
    if (items.length && ![...items].some(({ kind }) => kind === "string")) {
      event.preventDefault();
      this.#update("Only text can be sent.");
    }
  }

  #submit(event) {
    event.preventDefault();
    const content = this.text.value.trim();
    if (this.button.disabled || !content) return;
    this.text.value = "";
    this.#store.setDraft(this.#conversation, "");
    this.#update();
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
