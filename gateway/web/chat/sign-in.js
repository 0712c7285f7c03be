/** Who are you? A name, a token, or a guest, as the server wants it. */

import { h } from "./dom.js";
import { field, form } from "./dialogs.js";

const MOST_NAME = 64;

/** What one is asked for, by the way of signing in. */
const WAYS = {
  name: { words: "Pick a name, and you are in.", button: "Start talking" },
  token: { words: "Your application signs you in: paste the token that it gave you.", button: "Sign in" },
  application: { words: "Your application signs you in.", button: "Sign in" },
};

export class SignIn extends HTMLElement {
  /**
   * `way`: as in `WAYS`; `enter(given)` may reject, then it can be tried again; `guest`: likewise,
   * for those without a token, or null; `name`: the one from before; `problem`: what went wrong.
   */
  init(way, enter, { guest = null, name = "", problem = "" } = {}) {
    const { words, button } = WAYS[way];
    const asked = this.#field(way, name);
    const start = form(button, asked ? [asked.label] : [], () => enter(asked?.input.value.trim()), said);
    start.querySelector(".problem").textContent = problem;
    this.status = h("p.quiet", { role: "status" });
    this.append(h("main.card", {},
      h("img", { src: new URL("icon.svg", import.meta.url).href, alt: "", width: "48", height: "48" }),
      h("h1", {}, "Parley"), h("p.quiet", {}, words), start,
      guest && form("Continue as a guest", [], guest, said, "quiet"), this.status));
    return this;
  }

  focus() {
    this.querySelector("input, button").focus();
  }

  /** How far it has come. */
  tell(words) {
    this.status.textContent = words;
  }

  #field(way, name) {
    if (way === "application") return null;
    // Not a password: no browser should offer to keep it.
    const asked = way === "token" ? field("Token", { required: true, class: "secret" })
      : field("Your name", { required: true, maxlength: MOST_NAME, autocomplete: "nickname" });
    asked.input.value = name;
    return asked;
  }
}

/** Why one was not let in. */
export const said = ({ code, message }) => (code === "unauthorized" ? `Not signed in: ${message}.` : `${message}.`);

customElements.define("sign-in", SignIn);
