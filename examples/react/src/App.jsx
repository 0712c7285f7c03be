import { Parley } from "parley-chat";
import { ChatProvider, useConnection } from "parley-chat/react";
import { useState } from "react";
import { Room } from "./Room.jsx";

const SERVER = import.meta.env.VITE_PARLEY ?? "http://127.0.0.1:8080";

export function App() {
  const [client, setClient] = useState(null);
  if (!client) return <SignIn onName={(username) => setClient(new Parley(SERVER, { username, storage: localStorage }))} />;
  const signOut = () => {
    client.close();
    setClient(null);
  };
  return (
    <ChatProvider client={client}>
      <Connection onSignOut={signOut} />
      <Room name="general" />
    </ChatProvider>
  );
}

function SignIn({ onName }) {
  const submit = (event) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget).get("name").trim();
    if (name) onName(name);
  };
  return (
    <form onSubmit={submit}>
      <label>
        Your name <input name="name" maxLength={128} autoComplete="username" />
      </label>
      <button>Enter</button>
    </form>
  );
}

function Connection({ onSignOut }) {
  const { state, gateway, username, reason, error } = useConnection();
  return (
    <p>
      <output>{state === "connected" ? `${username} is connected to ${gateway}` : (error?.message ?? reason ?? state)}</output>{" "}
      <button onClick={onSignOut}>Sign out</button>
    </p>
  );
}
