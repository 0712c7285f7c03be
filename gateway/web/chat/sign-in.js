/** Who are you? */

import { h } from "./dom.js";
import { field, form } from "./dialogs.js";

const MOST_NAME = 64;

export class SignIn extends HTMLElement {
  /** `enter(name)` may reject, then it can be tried again; `problem` is what went wrong before. */
  init(enter, name = "", problem = "") {
    const who = field("Your name", { required: true, maxlength: MOST_NAME, autocomplete: "nickname", autofocus: true });
    who.input.value = name;
    const start = form("Start talking", [who.label], () => enter(who.input.value.trim()));
    start.querySelector(".problem").textContent = problem;
    this.append(h("main.card", {},
      h("img", { src: "chat/icon.svg", alt: "", width: "48", height: "48" }),
      h("h1", {}, "Parley"), h("p.quiet", {}, "Pick a name, and you are in."), start));
    this.input = who.input;
    return this;
  }

  focus() {
    this.input.focus();
  }
}

customElements.define("sign-in", SignIn);
