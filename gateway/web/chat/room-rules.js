/** The dialog for a room's owner and moderators: kick, ban, moderators, password. */

import { h } from "./dom.js";
import { dialog, field, form } from "./dialogs.js";
import { explain } from "./find-dialogs.js";
import { MAX_TYPED_NAME_CHARACTERS, MAX_PASSWORD_CHARACTERS } from "../client/constants.js";

/** The actions on a user; `owner`: for the room's owner only; `left`: what becomes of a name that nobody has. */
const ACTIONS = [
  { name: "Kick", means: "Removes the user, who can join again.", left: "There was nobody to remove.", act: (client, room, user) => client.kick(room, user) },
  { name: "Ban", means: "Removes the user, who cannot join again.", left: "The ban holds if they come.", act: (client, room, user) => client.ban(room, user) },
  { name: "Make moderator", owner: true, means: "Lets the user kick, ban and delete messages.", left: "They moderate the room if they come.",
    act: (client, room, user) => client.setModerator(room, user, true) },
];

/** The lists of users, each with the owner's button that takes a user out of it. */
const LISTS = [
  { title: "Banned", list: (client, room, page) => client.banned(room, page), undo: "Undo ban",
    take: (client, room, user) => client.unban(room, user), note: "Only the owner of the room can undo a ban." },
  { title: "Moderators", list: (client, room, page) => client.moderators(room, page), undo: "Remove as moderator",
    take: (client, room, user) => client.setModerator(room, user, false), note: "" },
];

/** Show the dialog, with the actions that the user may do. */
export function manageRoom(store, conversation) {
  const { title, role } = conversation;
  const isOwner = role === "owner";
  const { input, label } = field("User", { required: true, maxlength: MAX_TYPED_NAME_CHARACTERS, list: "people-here", autofocus: true });
  const people = h("datalist", { id: "people-here" }, ...peopleOf(store, conversation).map((name) => h("option", { value: name })));
  const problem = h("p.problem", { role: "alert" });
  const lists = LISTS.map((list) => userList(store, title, isOwner, list));
  const box = dialog(`Manage ${title}`,
    h("section.stack", {}, h("h3", {}, "Users"), label, people, problem,
      h("ul.acts", {}, ...ACTIONS.filter(({ owner }) => !owner || isOwner).map((action) => actionItem(action)))),
    ...lists.map(({ section }) => section),
    isOwner && passwordSection());

  function actionItem(action) {
    const id = `act-${action.name.toLowerCase().replaceAll(" ", "-")}`;
    return h("li", {}, h("span.means", { id }, action.means),
      h("button.quiet", { type: "button", "aria-describedby": id, onclick: () => attempt(action) }, action.name));
  }

  async function attempt({ act, left }) {
    const user = input.value.trim();
    problem.textContent = "";
    if (!user) {
      input.focus();
      return;
    }
    try {
      const { known } = await act(store.client, title, user);
      if (known !== false) {
        box.close();
        return;
      }
      problem.textContent = `Nobody named “${user}” was ever seen here. ${left}`;
      for (const { load } of lists) load();
    } catch (error) {
      problem.textContent = refusal(error);
    }
    input.focus();
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

/** A section with the users of a list, which loads more of them as the user asks. */
function userList(store, room, isOwner, { title, list, undo, take, note }) {
  const id = `list-${title.toLowerCase()}`;
  const problem = h("p.problem", { role: "alert" });
  const items = h("ul.acts", { "aria-labelledby": id });
  const more = h("button.link", { type: "button", hidden: true, onclick: () => load(items.lastElementChild?.dataset.user) }, "Show more");
  const section = h("section.stack", {}, h("h3", { id }, title), note && !isOwner && h("p.quiet", {}, note), items, more, problem);
  load();
  return { section, load };

  async function load(after) {
    try {
      const page = await list(store.client, room, { after });
      const shown = page.users.map((user) => item(user));
      if (after === undefined) items.replaceChildren(...(shown.length ? shown : [h("li.empty", {}, "Nobody.")]));
      else items.append(...shown);
      more.hidden = !page.more;
    } catch (error) {
      problem.textContent = refusal(error);
    }
  }

  function item(user) {
    return h("li", { "data-user": user }, h("span.title", {}, user),
      isOwner && h("button.quiet", { type: "button", "aria-label": `${undo}: ${user}`, onclick: () => remove(user) }, undo));
  }

  async function remove(user) {
    problem.textContent = "";
    try {
      await take(store.client, room, user);
      await load();
    } catch (error) {
      problem.textContent = refusal(error);
    }
    section.querySelector("button")?.focus();
  }
}

const refusal = (error) => (error.code === "forbidden" ? `${error.message}.` : explain(error));

/** Names to suggest: users who wrote or read here, and users who are online. */
function peopleOf(store, { messages, seenBy }) {
  const names = new Set([...messages.map(({ sender }) => sender), ...seenBy.keys(), ...store.online]);
  return [...names].filter((name) => !store.mine.has(name)).sort((a, b) => a.localeCompare(b));
}
