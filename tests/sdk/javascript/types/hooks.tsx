/** What the types of the hooks accept and refuse. */

import { Parley } from "parley-chat";
import {
  ChatProvider, useChatEvent, useChats, useClient, useConnection, useDirectChat, useOnlineUsers, useRoom,
} from "parley-chat/react";

export function Page({ client }: { client: Parley }) {
  return <ChatProvider client={client}><Room /></ChatProvider>;
}

// @ts-expect-error it needs a client
export const without = <ChatProvider />;

function Room() {
  const client: Parley = useClient();
  const { state, gateway, inMs } = useConnection();
  const { messages, pending, typing, hasOlder, loadOlder, send, join, error, status } = useRoom("general", { password: "sesame" });
  const chat = useDirectChat("bob");
  const online: string[] = useOnlineUsers();
  const unread = useChats().chats.reduce((sum, one) => sum + one.unread, 0);
  useChatEvent("notice", ({ content }) => console.log(content));
  // @ts-expect-error a notice has no sender
  useChatEvent("notice", ({ sender }) => console.log(sender));
  // @ts-expect-error a direct chat is not joined
  chat.join;
  const again = () => void join({ password: "other" });
  return (
    <section aria-label={state} onClick={again}>
      {status === "failed" && error?.message}
      {hasOlder && <button onClick={() => void loadOlder()}>{gateway} {inMs} {unread} {online.length} {client.username}</button>}
      {messages.map(({ id, content }) => <p key={id}>{content}</p>)}
      {pending.map(({ clientMsgId, state }) => <p key={clientMsgId}>{state}</p>)}
      {typing.join()} {chat.messages.length}
      <button onClick={() => void send("hello")} />
    </section>
  );
}
