import { useClient, useRoom } from "parley-chat/react";

export function Room({ name }) {
  const client = useClient();
  const room = useRoom(name);
  if (room.status === "failed" || room.status === "lost") {
    const create = () => client.createRoom(name).then(() => room.join(), ({ message }) => alert(message));
    return (
      <p>
        {room.error.message} <button onClick={create}>Create the room</button> <button onClick={() => room.join()}>Try again</button>
      </p>
    );
  }
  return (
    <section aria-label={name}>
      {room.hasOlder && <button disabled={room.isLoadingOlder} onClick={room.loadOlder}>Older messages</button>}
      <ol>
        {room.messages.map(({ id, sender, content, deleted }) => (
          <li key={id}>{sender}: {deleted ? <i>deleted</i> : content}</li>
        ))}
        {room.pending.map((entry) => (
          <Pending key={entry.clientMsgId} entry={entry} room={room} />
        ))}
      </ol>
      <p>{room.typing.length > 0 && `${room.typing.join(", ")} typing`}</p>
      <Composer room={room} />
    </section>
  );
}

function Pending({ entry: { clientMsgId, content, error }, room }) {
  if (!error) return <li>{content} (on its way)</li>;
  return (
    <li>
      {content}: {error.message} <button onClick={() => room.resend(clientMsgId)}>Send again</button>
      <button onClick={() => room.discard(clientMsgId)}>Discard</button>
    </li>
  );
}

function Composer({ room }) {
  const submit = (event) => {
    event.preventDefault();
    const content = new FormData(event.currentTarget).get("content");
    // A message that fails stays in `pending`, with its error.
    if (content.trim()) room.send(content).catch(() => {});
    event.currentTarget.reset();
  };
  return (
    <form onSubmit={submit}>
      <input name="content" aria-label="Message" autoComplete="off" onChange={room.notifyTyping} />
      <button>Send</button>
    </form>
  );
}
