/** Names: of rooms and direct chats, of servers, of messages that are sent. */

/** Throw if `name` names neither a room nor a direct chat. */
export function checkPlace(name) {
  if (typeof name !== "string" || !/^[#@]./s.test(name)) {
    throw new TypeError(`${name}: a place is "#room" or "@user"`);
  }
}

/**
 * The URL of a server's WebSocket, from http(s)://host:port or ws(s)://host:port/ws. A relative URL
 * is relative to the page. Where there is no page, such as on a server that renders one, it stays
 * as it is: the client can be made there, but not connected.
 */
export function socketUrl(given) {
  const page = globalThis.location?.href;
  if (page === undefined && typeof given === "string" && !given.includes(":")) return given;
  const url = new URL(given, page);
  if (url.protocol.startsWith("http")) {
    url.protocol = url.protocol.replace("http", "ws");
    url.pathname = url.pathname.replace(/\/?$/, "/ws");
  }
  if (!url.protocol.startsWith("ws")) throw new TypeError(`${given} is not the URL of a server`);
  url.search = url.hash = "";
  return url.href;
}

let counter = 0;

/**
 * A random name of 24 hexadecimal digits. Without `crypto.getRandomValues` (React Native, old Node)
 * it is made of the time, a counter and `Math.random`: unique enough to name a message of its
 * sender, but it can be guessed. Use it for nothing that has to stay secret.
 */
export function randomId() {
  const bytes = new Uint8Array(12);
  const { crypto } = globalThis;
  if (typeof crypto?.getRandomValues === "function") crypto.getRandomValues(bytes);
  else fillUnsafely(bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fillUnsafely(bytes) {
  let rest = Date.now();
  for (let n = 0; n < 6; n++, rest = Math.floor(rest / 256)) bytes[n] = rest % 256;
  counter = (counter + 1) % 65_536;
  bytes[6] = counter >> 8;
  bytes[7] = counter % 256;
  for (let n = 8; n < bytes.length; n++) bytes[n] = Math.floor(Math.random() * 256);
}
