/** A page that uses every hook. Its URL says who the user is: ?user=ann. */

import { Parley } from "parley-chat";
import { ChatProvider, useChatEvent, useChats, useClient, useConnection, useDirectChat, useOnlineUsers, useRoom } from "parley-chat/react";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

const username = new URLSearchParams(location.search).get("user");
const client = new Parley(import.meta.env.VITE_PARLEY, { username });

function Page() {
  const { state, username } = useConnection();
  const [shown, setShown] = useState("");
  const [event, setEvent] = useState("");
  useChatEvent("notice", ({ content }) => setEvent(content));
  const show = (form) => setShown(form.get("place"));
  return (
    <main>
      <output aria-label="state">{`${username} ${useClient().state === state && state}`}</output>
      <output aria-label="event">{event}</output>
      <form action={show}><input name="place" aria-label="Place" /></form>
      {shown === "chats" && <Chats />}
      {shown[0] === "#" && <Room key={shown} name={shown.slice(1)} />}
      {shown[0] === "@" && <DirectChat key={shown} user={shown.slice(1)} />}
    </main>
  );
}

function Chats() {
  const { status, chats } = useChats();
  return (
    <>
      <output aria-label="status">{status}</output>
      <output aria-label="online">{useOnlineUsers().join(" ")}</output>
      <ul>{chats.map(({ user, unread, lastMessage }) => <li key={user}>{`${user} ${unread} ${lastMessage?.content}`}</li>)}</ul>
    </>
  );
}

function Room({ name }) {
  const room = useRoom(name);
  return <><Conversation one={room} /><form action={(form) => room.join({ password: form.get("password") })}><input name="password" aria-label="Password" /></form></>;
}

const DirectChat = ({ user }) => <Conversation one={useDirectChat(user)} />;

function Conversation({ one }) {
  const { status, error, role, messages, pending, typing, seen, hasOlder } = one;
  return (
    <section aria-label={one.place}>
      <output aria-label="status">{[status, error?.code, role].filter(Boolean).join(" ")}</output>
      <output aria-label="typing">{typing.join(" ")}</output>
      <output aria-label="seen">{Object.entries(seen).join(" ")}</output>
      {hasOlder && <button onClick={one.loadOlder}>Older</button>}
      <ol>
        {messages.map(({ id, sender, content, deleted }) => (
          <li key={id} onClick={() => one.deleteMessage(id)}>{deleted ? "deleted" : `${sender}: ${content}`}</li>
        ))}
      </ol>
      <ul>
        {pending.map(({ clientMsgId, content, state }) => (
          <li key={clientMsgId}>{`${content.slice(0, 10)} ${state}`} <button onClick={() => one.discard(clientMsgId)}>Discard</button></li>
        ))}
      </ul>
      <form action={(form) => void one.send(form.get("content")).catch(() => {})}>
        <textarea name="content" aria-label="Message" onChange={one.notifyTyping} /><button>Send</button>
      </form>
      <button onClick={() => one.markSeen()}>Seen</button>
    </section>
  );
}

createRoot(document.getElementById("root")).render(
  <StrictMode><ChatProvider client={client}><Page /></ChatProvider></StrictMode>,
);
