/** The dialog for a room's owner and moderators: kick, ban, moderators, password. */

import { h } from "./dom.js";
import { dialog, field, form } from "./dialogs.js";
import { explain } from "./find-dialogs.js";
import { MAX_NAME_CHARACTERS, MAX_PASSWORD_CHARACTERS } from "../client/constants.js";

/** The actions on a user; `owner`: for the room's owner only. */
const ACTIONS = [
  { name: "Kick", means: "Removes the user, who can join again.", act: (client, room, user) => client.kick(room, user) },
  { name: "Ban", means: "Removes the user, who cannot join again.", act: (client, room, user) => client.ban(room, user) },
  { name: "Undo ban", owner: true, means: "Lets the user join again.", act: (client, room, user) => client.unban(room, user) },
  { name: "Make moderator", owner: true, means: "Lets the user kick, ban and delete messages.", act: (client, room, user) => client.setModerator(room, user, true) },
  { name: "Remove as moderator", owner: true, means: "Makes the user an ordinary member.", act: (client, room, user) => client.setModerator(room, user, false) },
];

/** Show the dialog, with the actions that the user may do. */
export function manageRoom(store, conversation) {
  const { title, role } = conversation;
  const { input, label } = field("User", { required: true, maxlength: MAX_NAME_CHARACTERS, list: "people-here", autofocus: true });
  const people = h("datalist", { id: "people-here" }, ...peopleOf(store, conversation).map((name) => h("option", { value: name })));
  const problem = h("p.problem", { role: "alert" });
  const box = dialog(`Manage ${title}`,
    h("section.stack", {}, h("h3", {}, "Users"), label, people, problem,
      h("ul.acts", {}, ...ACTIONS.filter(({ owner }) => !owner || role === "owner").map((action) => actionItem(action)))),
    role === "owner" && passwordSection());

  function actionItem({ name, means, act }) {
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
    const password = field("New password (leave empty to remove it)", { type: "password", maxlength: MAX_PASSWORD_CHARACTERS, autocomplete: "new-password" });
    const change = form("Change password", [password.label], async () => {
      await store.client.setPassword(title, password.input.value);
      box.close();
    }, refusal);
    return h("section.stack", {}, h("h3", {}, "Password"),
      h("p.quiet", {}, "Users in the room stay in it. To come back later they need the new password."), change);
  }
}

const refusal = (error) => (error.code === "forbidden" ? `${error.message}.` : explain(error));

/** Names to suggest: users who wrote or read here, and users who are online. */
function peopleOf(store, { messages, seenBy }) {
  const names = new Set([...messages.map(({ sender }) => sender), ...seenBy.keys(), ...store.online]);
  return [...names].filter((name) => !store.mine.has(name)).sort((a, b) => a.localeCompare(b));
}
