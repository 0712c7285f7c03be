/** Lists of messages, by seq. Each function returns a new list. */

/** Two lists as one in the order of their seq; of a message that is in both, the one of `more`. */
export function merge(messages, more) {
  const last = messages.at(-1);
  if (more.every(({ seq }) => last === undefined || seq > last.seq)) return [...messages, ...more];
  const bySeq = new Map([...messages, ...more].map((message) => [message.seq, message]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** The list with one message deleted: it keeps its position, without its content. */
export const withDeleted = (messages, id) =>
  messages.map((message) => (message.id === id ? { ...message, content: "", deleted: true } : message));

/** The list without what was sent before `seq`. */
export const withCleared = (messages, seq) => messages.filter((message) => message.seq > seq);
