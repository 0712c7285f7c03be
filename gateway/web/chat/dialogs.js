/** Modal dialogs, forms and their fields. The browser keeps the focus inside a dialog. */

import { h, iconButton } from "./dom.js";

let dialogs = 0;

/** Show a modal dialog with a title, and return it. It is removed when it is closed. */
export function dialog(title, ...children) {
  const id = `dialog-${++dialogs}`;
  const focused = document.activeElement;
  const box = h("dialog", { "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), iconButton("close", "Close", () => box.close())), ...children);
  box.addEventListener("close", () => {
    box.remove();
    if (focused?.isConnected && document.activeElement === document.body) focused.focus();
  });
  // A press on the backdrop closes the dialog: its target is the dialog itself, not a child.
  box.addEventListener("pointerdown", (event) => event.target === box && box.close());
  document.body.append(box);
  box.showModal();
  return box;
}

/** Ask before an action that cannot be undone; `act` is called when the user confirms. */
export function askToConfirm(title, text, action, act) {
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
 * A form that calls `act()` when it is submitted. If `act()` rejects, the form shows
 * `explain(error)`, and the user can try again.
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
  ["Alt + ↑ / ↓", "Previous or next conversation"], ["↑ / ↓", "Previous or next message, in the list"],
  ["Delete", "Delete the focused message"], ["End", "Go to the latest message"], ["Esc", "Go to the text field"],
];

/** Show the keyboard shortcuts. */
export function showKeys() {
  dialog("Keyboard", h("dl.keys", {}, ...KEYS.flatMap(([keys, what]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, what)])));
}
