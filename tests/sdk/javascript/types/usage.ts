/** What the types of the client accept and refuse. The compiler says where a mistake below is none. */

import { Parley, ParleyError } from "parley-chat";
import type { ChatMessage, Commands, ParleyEvents, Place, TypedEvent } from "parley-chat";

const client = new Parley(["http://127.0.0.1:8080", new URL("https://chat.example")], { username: "ann", storage: localStorage });
new Parley("http://127.0.0.1:8080", { token: async () => "token", tickets: true });
new Parley("http://127.0.0.1:8080", { guest: true });
// @ts-expect-error a client has a user
new Parley("http://127.0.0.1:8080", {});
// @ts-expect-error a guest has no name of its own
new Parley("http://127.0.0.1:8080", { guest: true, username: "ann" });

// ---- requests, by their names
const accepted: { id: number; seq: number } = await client.request("message", { room: "general", content: "hello", clientMsgId: "1" });
const { head, partial, items } = await client.request("history", { room: "general", before: accepted.seq, limit: 10 });
const places: [number, boolean, number] = [head, partial, items.length];
const joined = await client.request("joinRoom", { room: "general" }, { repeat: true, within: 5_000 });
const role: "owner" | "moderator" | undefined = joined.role;
const resumed = await client.request("resume", { rooms: { general: 3 }, chats: { 1: 2 } });
const recovered: boolean | undefined = resumed.rooms["general"]?.recovered;
await client.request("leaveRoom", "general");
await client.request("deleteMessage", 1);
await client.request("getChats", () => ({ userId: client.username }));
const unknown: unknown = await client.request("ofNextYear", { anything: 1 });
// @ts-expect-error a message has content
await client.request("message", { room: "general" });
// @ts-expect-error `romo` is not a field
await client.request("joinRoom", { romo: "general" });
// @ts-expect-error a room or a chat
await client.request("history", { room: "general", chatId: 1 });
// @ts-expect-error the reply to a message has no text
(await client.request("message", { room: "general", content: "hello" })).content;
// @ts-expect-error nothing is known of the reply to an unknown request
(await client.request("ofNextYear", {})).id;
const names: (keyof Commands)[] = ["setPassword", "markAsSeen"];

// ---- events
const off: () => void = client.on("message", ({ sender, content, missed }) => console.log(sender, content, missed));
client.once("state", ({ state, inMs }) => console.log(state === "reconnecting" && inMs));
client.on("skipped", ({ event, data }) => console.log(event, data));
const listener = ({ place, users }: ParleyEvents["typing"]): void => console.log(place, users);
client.on("typing", listener);
client.off("typing", listener);
// @ts-expect-error of a message that is deleted only its id is known
client.on("deleted", ({ content }) => console.log(content));
// @ts-expect-error `misnamed` is no event of the client: it is one that it does not know
client.on("misnamed", ({ sender }) => console.log(sender));

for await (const { type, event } of client.events()) {
  if (type === "message") console.log(event.content);
  if (type === "typing") console.log(event.users);
  // @ts-expect-error other events have no content
  if (type === "typing") console.log(event.content);
}
for await (const one of client.events({ types: ["message", "lost"], limit: 10 })) {
  const either: TypedEvent<"message" | "lost"> = one;
  if (either.type === "lost") break;
}
// @ts-expect-error there is no such type
client.events({ types: ["misnamed"] });

// ---- places
const place: Place = "#general";
const { messages }: { messages: ChatMessage[] } = await client.join("general");
await client.send(place, messages[0]?.content ?? "hello");
// @ts-expect-error a place begins with # or @
await client.send("general", "hello");

// ---- errors
try {
  await client.connect();
} catch (error) {
  if (error instanceof ParleyError && error.code === "no_websocket") console.log(error.retryAfterMs);
}

export { off, places, recovered, role, unknown, names };
