import { Parley } from "parley-chat";
import { ChatProvider, useConnection, useRoom } from "parley-chat/react";
import { useState } from "react";

const SERVER = import.meta.env.VITE_PARLEY ?? "http://127.0.0.1:8080";

export function Page() {
  // Made on the server, too, where it never connects: only effects do that.
  const [client] = useState(() => new Parley(SERVER, { username: "reader" }));
  return (
    <ChatProvider client={client}>
      <h1>News</h1>
      <Messages room="general" />
    </ChatProvider>
  );
}

function Messages({ room }) {
  const { state } = useConnection();
  const { messages, status } = useRoom(room);
  return (
    <>
      <p><output>{`${state}, ${status}`}</output></p>
      <ol>
        {messages.map(({ id, sender, content }) => <li key={id}>{sender}: {content}</li>)}
      </ol>
    </>
  );
}
