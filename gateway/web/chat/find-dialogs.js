/** Finding, making and entering conversations. */

import { avatar, h, icon } from "./dom.js";
import { dialog, field, form } from "./dialogs.js";
import { count } from "./text.js";

/** Names as the server takes them; it has the last word. */
const MOST_NAME = 128;

const WORDS = {
  room_exists: () => "There is a room of that name already.",
  forbidden: () => "That password does not open it, or there is no such room.",
  connection_lost: () => "There is no connection at the moment.",
  timeout: () => "There is no connection at the moment.",
  rate_limited: ({ retryAfterMs }) => `That was too often. Try again in ${count(Math.ceil(retryAfterMs / 1000) || 1, "second")}.`,
};
export const explain = (error) => WORDS[error.code]?.(error) ?? `${error.message}.`;

/** Choose a conversation, a room that one is not in, or somebody to talk to. */
export function find(app, store) {
  const { input, label } = field("Rooms and people", { type: "search", placeholder: "A name", autofocus: true });
  const list = h("ul.choices", {});
  const box = dialog("Go to", h("div.stack", {}, label, list));
  let rooms = [];
  const choose = (name) => {
    box.close();
    app.go(name);
  };
  const draw = () => list.replaceChildren(...candidates(store, rooms, input.value.trim()).map((one) => choice(one, choose)));
  input.addEventListener("input", draw);
  box.addEventListener("keydown", (event) => move(event, input, list));
  draw();
  store.client.rooms().then((found) => { rooms = found; draw(); }, () => {});
}

function candidates(store, rooms, typed) {
  const known = [...store.rooms, ...store.chats].map(({ name, title, isRoom, locked }) => ({ name, title, isRoom, locked }));
  const more = rooms.map((room) => ({ name: `#${room.name}`, title: room.name, isRoom: true, locked: room.protected, hint: "Join" }));
  const people = [...store.online].map((user) => ({ name: `@${user}`, title: user, hint: "Online" }));
  const all = new Map([...people, ...more, ...known].map((one) => [one.name, one]));
  all.delete(`@${store.me}`);
  const wanted = typed.toLocaleLowerCase();
  const found = [...all.values()].filter(({ title }) => title.toLocaleLowerCase().includes(wanted))
    .sort((a, b) => Boolean(a.hint) - Boolean(b.hint) || a.title.localeCompare(b.title));
  const exact = all.has(`@${typed}`) || typed === "" || typed === store.me;
  return exact ? found : [...found, { name: `@${typed}`, title: typed, hint: "Write to" }];
}

function choice({ name, title, isRoom, locked, hint }, choose) {
  return h("li", {}, h("button", { type: "button", "data-choice": name, onclick: () => choose(name) },
    isRoom ? icon(locked ? "lock" : "hash") : avatar(title), h("span.title", {}, title),
    hint && h("span.hint", {}, hint)));
}

/** Arrow keys go from the field through the list; Enter in the field takes the first. */
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

/** Make a room, or enter one that is there. */
export function addRoom(app, store) {
  const name = field("Name", { required: true, maxlength: MOST_NAME, autofocus: true });
  const password = field("Password, if it is to be locked", { type: "password", maxlength: 256, autocomplete: "new-password" });
  const make = form("Create room", [name.label, password.label], async () => {
    const title = name.input.value.trim();
    await store.createRoom(title, password.input.value);
    box.close();
    app.go(`#${title}`);
  }, explain);
  const list = h("ul.choices", {}, h("li.empty", {}, "Looking for rooms"));
  const box = dialog("Rooms", h("section.stack", {}, h("h3", {}, "New room"), make),
    h("section.stack", {}, h("h3", {}, "Rooms you are not in"), list));
  const enter = (place) => {
    box.close();
    app.go(place);
  };
  const show = (rooms) => {
    const others = rooms.filter((room) => !store.conversations.get(`#${room.name}`)?.loaded);
    const items = others.map((room) => choice({ name: `#${room.name}`, title: room.name, isRoom: true, locked: room.protected, hint: room.protected ? "Locked" : "Join" }, enter));
    list.replaceChildren(...(items.length ? items : [h("li.empty", {}, "None.")]));
  };
  store.client.rooms().then(show, (error) => list.replaceChildren(h("li.empty", {}, explain(error))));
}

/** Begin a direct chat. */
export function addChat(app, store) {
  const who = field("Name", { required: true, maxlength: MOST_NAME, autofocus: true });
  const begin = form("Begin", [who.label], () => {
    const user = who.input.value.trim();
    if (user === store.me) throw new Error("That is you.");
    box.close();
    app.go(`@${user}`);
  });
  const people = [...store.online].filter((user) => user !== store.me).sort((a, b) => a.localeCompare(b));
  const list = people.map((user) => choice({ name: `@${user}`, title: user, hint: "Online" }, (place) => {
    box.close();
    app.go(place);
  }));
  const box = dialog("New direct chat", h("section.stack", {}, begin),
    list.length > 0 && h("section.stack", {}, h("h3", {}, "Online now"), h("ul.choices", {}, ...list)));
}
