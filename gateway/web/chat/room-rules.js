/** Looking after a room: what its owner and moderators may do. */

import { h } from "./dom.js";
import { dialog, field, form } from "./dialogs.js";
import { explain } from "./find-dialogs.js";

/** What may be done to somebody, by whom, and what it means. */
const ACTS = [
  { name: "Kick", means: "Out of the room; may join again.", act: (client, room, user) => client.kick(room, user) },
  { name: "Ban", means: "Out of the room, and it stays shut.", act: (client, room, user) => client.ban(room, user) },
  { name: "Undo ban", owner: true, means: "May join again.", act: (client, room, user) => client.unban(room, user) },
  { name: "Make moderator", owner: true, means: "May kick, ban and delete.", act: (client, room, user) => client.setModerator(room, user, true) },
  { name: "Remove as moderator", owner: true, means: "A member like any other.", act: (client, room, user) => client.setModerator(room, user, false) },
];

/** Show what one may do in a room. */
export function lookAfter(store, conversation) {
  const { title, role } = conversation;
  const { input, label } = field("Who", { required: true, maxlength: 128, list: "people-here", autofocus: true });
  const people = h("datalist", { id: "people-here" }, ...peopleOf(store, conversation).map((name) => h("option", { value: name })));
  const problem = h("p.problem", { role: "alert" });
  const box = dialog(`Look after ${title}`,
    h("section.stack", {}, h("h3", {}, "People"), label, people, problem,
      h("ul.acts", {}, ...ACTS.filter(({ owner }) => !owner || role === "owner").map((act) => actItem(act)))),
    role === "owner" && passwordSection());

  function actItem({ name, means, act }) {
    const id = `act-${name.toLowerCase().replaceAll(" ", "-")}`;
    return h("li", {}, h("span.means", { id }, means),
      h("button.quiet", { type: "button", "aria-describedby": id, onclick: () => attempt(act) }, name));
  }

  async function attempt(act) {
    const user = input.value.trim();
    problem.textContent = "";
    if (!user) {
      input.focus();
      return;
    }
    try {
      await act(store.client, title, user);
      box.close();
    } catch (error) {
      problem.textContent = refusal(error);
      input.focus();
    }
  }

  function passwordSection() {
    const password = field("New password; empty opens the room to everybody", { type: "password", maxlength: 256, autocomplete: "new-password" });
    const change = form("Change password", [password.label], async () => {
      await store.client.setPassword(title, password.input.value);
      box.close();
    }, refusal);
    return h("section.stack", {}, h("h3", {}, "Password"),
      h("p.quiet", {}, "Who is in the room stays. Who comes back later needs the new one."), change);
  }
}

const refusal = (error) => (error.code === "forbidden" ? `${error.message}.` : explain(error));

/** Who was seen here: writers and readers, and whoever is online. */
function peopleOf(store, { messages, seenBy }) {
  const names = new Set([...messages.map(({ sender }) => sender), ...seenBy.keys(), ...store.online]);
  return [...names].filter((name) => !store.mine.has(name)).sort((a, b) => a.localeCompare(b));
}
