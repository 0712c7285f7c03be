/** The dialog for a room's owner and moderators: kick, ban, moderators, what was done, password. */

import { h } from "./dom.js";
import { dialog, field, form } from "./dialogs.js";
import { explain } from "./find-dialogs.js";
import { actParts, dayAndTime, momentOf } from "./text.js";
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

/** What was done in the room is shown in parts of so many. */
const PAGE_ACTS = 50;

/** Show the dialog, with the actions that the user may do. */
export function manageRoom(store, conversation) {
  const { title, role } = conversation;
  const isOwner = role === "owner";
  const { input, label } = field("User", { required: true, maxlength: MAX_TYPED_NAME_CHARACTERS, list: "people-here", autofocus: true });
  const people = h("datalist", { id: "people-here" }, ...peopleOf(store, conversation).map((name) => h("option", { value: name })));
  const problem = h("p.problem", { role: "alert" });
  const acts = actList(store, title);
  const lists = [...LISTS.map((list) => userList(store, title, isOwner, list, acts.load)), acts];
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

/** A section with the users of a list. `done()` is called when the owner took one out of it. */
function userList(store, room, isOwner, { title, list, undo, take, note }, done) {
  const shown = pagedList({ title, note: !isOwner && note, empty: "Nobody.", read, item });
  return shown;

  async function read(after) {
    const { users, more } = await list(store.client, room, { after });
    return { items: users, next: more ? users.at(-1) : null };
  }

  function item(user) {
    return h("li", {}, h("span.title", {}, user),
      isOwner && h("button.quiet", { type: "button", "aria-label": `${undo}: ${user}`, onclick: () => remove(user) }, undo));
  }

  async function remove(user) {
    await shown.attempt(async () => {
      await take(store.client, room, user);
      await shown.load();
      done();
    });
    shown.section.querySelector("button")?.focus();
  }
}

/** A section with what was done in the room by whom, the newest first. */
function actList({ client, mine }, room) {
  const named = (user) => h("bdi", {}, user);
  return pagedList({
    title: "What was done", empty: "Nothing yet.",
    read: (before) => client.moderationLog(room, { before, limit: PAGE_ACTS }),
    item: ({ action, at, ...facts }) => h("li", {}, h("span.title", {}, ...actParts(action, facts, mine, named)),
      h("time.means", { datetime: at, title: momentOf(at) }, dayAndTime(at))),
  });
}

/**
 * A section with a list that is read in pages. `read(at)` resolves with {items, next, partial}: `next` is
 * the `at` of the following page, or null. `load()` reads the list anew. `attempt(act)` shows why an act failed.
 */
function pagedList({ title, note, empty, read, item }) {
  const id = `list-${title.toLowerCase().replaceAll(" ", "-")}`;
  const problem = h("p.problem", { role: "alert" });
  const partial = h("p.quiet", { role: "status" });
  const items = h("ul.acts", { "aria-labelledby": id });
  const more = h("button.link", { type: "button", "aria-describedby": id, hidden: true, onclick: () => attempt(showMore) }, "Show more");
  const section = h("section.stack", {}, h("h3", { id }, title), note && h("p.quiet", {}, note), partial, items, more, problem);
  let next, loads = 0;
  load();
  return { section, load, attempt };

  async function attempt(act) {
    problem.textContent = "";
    try {
      await act();
    } catch (error) {
      problem.textContent = refusal(error);
    }
  }

  function load() {
    return attempt(async () => {
      next = undefined;
      const found = await page();
      if (found) items.replaceChildren(...(found.length || next !== null ? found : [h("li.empty", {}, empty)]));
    });
  }

  async function showMore() {
    if (next === undefined) return load(); // the list could not be read anew
    const found = await page();
    items.append(...found ?? []);
    // The button goes with the last page: whoever pressed it goes on with what came.
    if (more.hidden && found?.length) {
      found[0].tabIndex = -1;
      found[0].focus();
    }
  }

  /** The items of the following page that has some; null if another page was asked for meanwhile. */
  async function page() {
    const turn = ++loads, found = [];
    if (next === undefined) partial.textContent = "";
    do {
      const answer = await read(next ?? undefined);
      if (turn !== loads) return null;
      found.push(...answer.items);
      next = answer.next;
      more.hidden = next === null;
      if (answer.partial) partial.textContent = "Some may be missing: a part of the server is not available.";
    } while (found.length === 0 && next !== null && section.isConnected);
    return found.map((one) => item(one));
  }
}

const refusal = (error) => (error.code === "forbidden" ? `${error.message}.` : explain(error));

/** Names to suggest: users who wrote or read here, and users who are online. */
function peopleOf(store, { messages, seenBy }) {
  const names = new Set([...messages.map(({ sender }) => sender), ...seenBy.keys(), ...store.online]);
  return [...names].filter((name) => !store.mine.has(name)).sort((a, b) => a.localeCompare(b));
}
