/** A small grid of emoji. Arrow keys move the focus in it. */

import { h } from "./dom.js";

const COLUMNS = 8;

const EMOJI = [
  ["😀", "grinning"], ["😄", "smiling"], ["😂", "tears of joy"], ["🙂", "slight smile"],
  ["😉", "wink"], ["😊", "blush"], ["😍", "heart eyes"], ["😘", "kiss"],
  ["😎", "cool"], ["🤔", "thinking"], ["😐", "neutral"], ["🙄", "rolling eyes"],
  ["😮", "surprised"], ["😴", "asleep"], ["😕", "confused"], ["😢", "crying"],
  ["😭", "sobbing"], ["😡", "angry"], ["🥳", "party"], ["🤯", "mind blown"],
  ["🤗", "hug"], ["🤫", "hush"], ["🤷", "shrug"], ["🙈", "cannot look"],
  ["👍", "thumbs up"], ["👎", "thumbs down"], ["👏", "clapping"], ["🙏", "thanks"],
  ["👋", "waving"], ["✌️", "victory"], ["💪", "strong"], ["🤝", "handshake"],
  ["❤️", "heart"], ["💔", "broken heart"], ["💙", "blue heart"], ["💚", "green heart"],
  ["🔥", "fire"], ["✨", "sparkles"], ["⭐", "star"], ["🎉", "tada"],
  ["🎂", "cake"], ["🎁", "gift"], ["☕", "coffee"], ["🍕", "pizza"],
  ["🍺", "beer"], ["🌱", "seedling"], ["🌞", "sun"], ["🌙", "moon"],
  ["✅", "done"], ["❌", "no"], ["❓", "question"], ["❗", "exclamation"],
  ["💡", "idea"], ["📌", "pin"], ["📅", "calendar"], ["⏰", "alarm"],
  ["🚀", "rocket"], ["🐛", "bug"], ["🔧", "wrench"], ["🔒", "locked"],
  ["👀", "eyes"], ["💬", "speech"], ["💯", "hundred"], ["🏁", "finish"],
];

export class EmojiPicker extends HTMLElement {
  /** `pick(emoji)` is called for each emoji chosen, `done()` when the picker is to be closed. */
  init(pick, done) {
    this.#done = done;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Emoji");
    this.append(...EMOJI.map(([emoji, name], n) => h("button.emoji", {
      type: "button", "aria-label": name, title: name, tabindex: n === 0 ? "0" : "-1", onclick: () => pick(emoji),
    }, emoji)));
    this.addEventListener("keydown", (event) => this.#key(event));
    return this;
  }

  #done;

  focus() {
    this.querySelector("[tabindex='0']").focus();
  }

  #key(event) {
    const buttons = [...this.children];
    const at = buttons.indexOf(document.activeElement);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }[event.key];
    const to = buttons[at + (step ?? NaN)];
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#done();
    } else if (step && to) {
      buttons[at].tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    }
    if (step) event.preventDefault();
  }
}

customElements.define("emoji-picker", EmojiPicker);
