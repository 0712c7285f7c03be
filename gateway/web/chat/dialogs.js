/** Dialogs: a question, a form, a list to choose from. The browser keeps the focus in them. */

import { h, iconButton } from "./dom.js";

let last = 0;

/** Show a modal dialog with a title; returns it. It leaves the page when it is closed. */
export function dialog(title, ...children) {
  const id = `dialog-${++last}`;
  const before = document.activeElement;
  const box = h("dialog", { "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), iconButton("close", "Close", () => box.close())), ...children);
  box.addEventListener("close", () => {
    box.remove();
    if (before?.isConnected && document.activeElement === document.body) before.focus();
  });
  // A click beside it closes it: there, the target is the dialog itself.
  box.addEventListener("pointerdown", (event) => event.target === box && box.close());
  document.body.append(box);
  box.showModal();
  return box;
}

/** Ask before something that cannot be undone; `act` is called if so. */
export function confirmed(title, text, action, act) {
  const box = dialog(title, h("p", {}, text), h("footer", {},
    h("button.quiet", { type: "button", onclick: () => box.close() }, "Cancel"),
    h("button.danger", { type: "button", autofocus: true, onclick: () => {
      box.close();
      act();
    } }, action)));
}

/** A labelled field of a form. */
export function field(label, attributes = {}) {
  const input = h("input", { autocomplete: "off", autocapitalize: "off", spellcheck: "false", ...attributes });
  return { input, label: h("label.field", {}, h("span", {}, label), input) };
}

/**
 * A form that tries something: `act()` may reject, then `explain(error)` is shown and it can be
 * tried again.
 */
export function form(button, fields, act, explain = (error) => error.message, look = "primary") {
  const problem = h("p.problem", { role: "alert" });
  const submit = h(`button.${look}`, { type: "submit" }, button);
  return h("form.stack", {
    onsubmit: async (event) => {
      event.preventDefault();
      problem.textContent = "";
      submit.disabled = true;
      try {
        await act();
      } catch (error) {
        problem.textContent = explain(error);
        fields[0]?.querySelector("input")?.focus();
      } finally {
        submit.disabled = false;
      }
    },
  }, ...fields, problem, submit);
}

const KEYS = [
  ["Enter", "Send"], ["Shift + Enter", "New line"], ["Ctrl + K", "Go to a conversation"],
  ["Alt + ↑ / ↓", "Previous or next conversation"], ["↑ / ↓", "From message to message, in the list"],
  ["Delete", "Delete the message in focus"], ["End", "Go to the latest message"], ["Esc", "Back to writing"],
];

/** What the keyboard can do. */
export function showKeys() {
  dialog("Keyboard", h("dl.keys", {}, ...KEYS.flatMap(([keys, what]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, what)])));
}
