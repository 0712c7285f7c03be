/** The sign-in form: a name, a token, or a guest, as the server is set up. */

import { h } from "./dom.js";
import { field, form } from "./dialogs.js";
import { MAX_TYPED_NAME_CHARACTERS } from "../client/constants.js";


/** The texts of the form, by the method of signing in. */
const METHODS = {
  name: { words: "Enter a name to start.", button: "Start" },
  token: { words: "Paste the token that your application gave you.", button: "Sign in" },
  application: { words: "Your application signs you in.", button: "Sign in" },
};

export class SignIn extends HTMLElement {
  /**
   * `method`: a key of `METHODS`. `signIn(value)` gets the name or the token; if it rejects, its
   * error is shown and the user can try again. `guest()`: the same for a guest, or null for no
   * guests. `name`: the name to begin with. `problem`: an error to show at once.
   */
  init(method, signIn, { guest = null, name = "", problem = "" } = {}) {
    const { words, button } = METHODS[method];
    const credential = this.#field(method, name);
    const start = form(button, credential ? [credential.label] : [],
      () => signIn(credential?.input.value.trim()), explainSignIn);
    start.querySelector(".problem").textContent = problem;
    this.status = h("p.quiet", { role: "status" });
    this.append(h("main.card", {},
      h("img", { src: new URL("icon.svg", import.meta.url).href, alt: "", width: "48", height: "48" }),
      h("h1", {}, "Parley"), h("p.quiet", {}, words), start,
      guest && form("Continue as a guest", [], guest, explainSignIn, "quiet"), this.status));
    return this;
  }

  focus() {
    this.querySelector("input, button").focus();
  }

  /** Show the progress of signing in. */
  showStatus(words) {
    this.status.textContent = words;
  }

  #field(method, name) {
    if (method === "application") return null;
    // Not of type "password": a browser would offer to store the token.
    const credential = method === "token" ? field("Token", { required: true, class: "secret" })
      : field("Your name", { required: true, maxlength: MAX_TYPED_NAME_CHARACTERS, autocomplete: "nickname" });
    credential.input.value = name;
    return credential;
  }
}

/** The text for an error of signing in. */
export const explainSignIn = ({ code, message }) => (code === "unauthorized" ? `Not signed in: ${message}.` : `${message}.`);

customElements.define("sign-in", SignIn);
