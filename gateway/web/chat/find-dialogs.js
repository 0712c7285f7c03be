/** Dialogs that find, create and open conversations. */

import { avatar, h, icon } from "./dom.js";
import { dialog, field, form } from "./dialogs.js";
import { count } from "./text.js";
import { MAX_TYPED_NAME_CHARACTERS, MAX_PASSWORD_CHARACTERS } from "../client/constants.js";


const MESSAGES = {
  room_exists: () => "A room with this name already exists.",
  forbidden: ({ reason }) => (reason === "banned" ? "You are banned from this room. Only its owner can lift the ban."
    : "The password is wrong, or the room does not exist."),
  connection_lost: () => "You are not connected at the moment.",
  timeout: () => "You are not connected at the moment.",
  rate_limited: ({ retryAfterMs }) => `Too many attempts. Try again in ${count(Math.ceil(retryAfterMs / 1000) || 1, "second")}.`,
};

/** The text for an error of a request. */
export const explain = (error) => MESSAGES[error.code]?.(error) ?? `${error.message}.`;

const NOTES = "Notes to yourself";

/** Let the user choose a conversation, a room to join, or a person to write to. */
export function find(app, store) {
  const { input, label } = field("Rooms and people", { type: "search", placeholder: "A name", autofocus: true });
  const list = h("ul.choices", {});
  const box = dialog("Go to", h("div.stack", {}, label, list));
  let rooms = [];
  const choose = (name) => {
    box.close();
    app.go(name);
  };
  const draw = () => list.replaceChildren(...candidates(store, rooms, input.value.trim()).map((candidate) => choice(candidate, choose)));
  input.addEventListener("input", draw);
  box.addEventListener("keydown", (event) => move(event, input, list));
  draw();
  store.client.rooms().then((found) => { rooms = found; draw(); }, () => {});
}

function candidates(store, rooms, typed) {
  const known = [...store.rooms, ...store.chats]
    .map(({ name, label, isRoom, locked, isBanned }) => ({ name, title: label, isRoom, locked, hint: isBanned && "Banned" }));
  const others = rooms.map((room) => ({ name: `#${room.name}`, title: room.name, isRoom: true, locked: room.protected, hint: "Join" }));
  const people = [...store.online].map((user) => ({ name: `@${user}`, title: user, hint: "Online" }));
  const all = new Map([...people, ...others, ...known].map((candidate) => [candidate.name, candidate]));
  if (!store.conversations.has(`@${store.me}`)) all.set(`@${store.me}`, { name: `@${store.me}`, title: NOTES, hint: "Write" });
  const wanted = typed.toLocaleLowerCase();
  const found = [...all.values()]
    .filter(({ name, title }) => [title, name.slice(1)].some((words) => words.toLocaleLowerCase().includes(wanted)))
    .sort((a, b) => Boolean(a.hint) - Boolean(b.hint) || a.title.localeCompare(b.title));
  const exact = all.has(`@${typed}`) || typed === "";
  return exact ? found : [...found, { name: `@${typed}`, title: typed, hint: "Write to" }];
}

function choice({ name, title, isRoom, locked, hint }, choose) {
  return h("li", {}, h("button", { type: "button", "data-choice": name, onclick: () => choose(name) },
    isRoom ? icon(locked ? "lock" : "hash") : avatar(title), h("span.title", {}, title),
    hint && h("span.hint", {}, hint)));
}

/** Arrow keys move from the field through the list; Enter in the field chooses the first item. */
function move(event, input, list) {
  const stops = [input, ...list.querySelectorAll("button")];
  const at = stops.indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    stops[Math.max(0, Math.min(stops.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))].focus();
    event.preventDefault();
  } else if (event.key === "Enter" && document.activeElement === input) {
    event.preventDefault();
    stops[1]?.click();
  }
}

/** Create a room, or join one that exists. */
export function addRoom(app, store) {
  const name = field("Name", { required: true, maxlength: MAX_TYPED_NAME_CHARACTERS, autofocus: true });
  const password = field("Password (optional)", { type: "password", maxlength: MAX_PASSWORD_CHARACTERS, autocomplete: "new-password" });
  const create = form("Create room", [name.label, password.label], async () => {
    const title = await store.createRoom(name.input.value.trim(), password.input.value);
    box.close();
    app.go(`#${title}`);
  }, explain);
  const list = h("ul.choices", {}, h("li.empty", {}, "Loading rooms"));
  const box = dialog("Rooms", h("section.stack", {}, h("h3", {}, "New room"), create),
    h("section.stack", {}, h("h3", {}, "Other rooms"), list));
  const enter = (place) => {
    box.close();
    app.go(place);
  };
  const show = (rooms) => {
    const isBanned = (room) => store.conversations.get(`#${room.name}`)?.isBanned;
    const hintOf = (room) => (isBanned(room) ? "Banned" : room.protected ? "Locked" : "Join");
    const others = rooms.filter((room) => !store.conversations.get(`#${room.name}`)?.loaded);
    const items = others.map((room) => choice({ name: `#${room.name}`, title: room.name, isRoom: true, locked: room.protected, hint: hintOf(room) }, enter));
    list.replaceChildren(...(items.length ? items : [h("li.empty", {}, "None.")]));
  };
  store.client.rooms().then(show, (error) => list.replaceChildren(h("li.empty", {}, explain(error))));
}

/** Start a direct chat. */
export function addChat(app, store) {
  const name = field("Name", { required: true, maxlength: MAX_TYPED_NAME_CHARACTERS, autofocus: true });
  const start = form("Start", [name.label], () => {
    const user = name.input.value.trim();
    const known = [...store.chats.map(({ title }) => title), ...store.online];
    const isSame = (other) => other.localeCompare(user, undefined, { sensitivity: "accent" }) === 0;
    box.close();
    app.go(`@${known.includes(user) ? user : known.find(isSame) ?? user}`);
  });
  const people = [...store.online].filter((user) => user !== store.me).sort((a, b) => a.localeCompare(b));
  const open = (place) => {
    box.close();
    app.go(place);
  };
  const list = people.map((user) => choice({ name: `@${user}`, title: user, hint: "Online" }, open));
  const notes = choice({ name: `@${store.me}`, title: NOTES }, open);
  const box = dialog("New direct chat", h("section.stack", {}, start, h("ul.choices", {}, notes)),
    list.length > 0 && h("section.stack", {}, h("h3", {}, "Online now"), h("ul.choices", {}, ...list)));
}
