/** Names that the user typed in another spelling than the server has. */

/**
 * Let the conversation `from` go on under the server's spelling of its name, `place`, or in the
 * conversation that has this name already.
 */
export function takeSpelling(store, from, place) {
  const { conversations, memory } = store;
  const typed = conversations.get(from);
  if (!typed) return;
  conversations.delete(from);
  if (typed.isRoom) memory.setRoom(typed.title, null);
  memory.setDraft(from, "");
  const conversation = conversations.get(place) ?? typed;
  if (conversation === typed) typed.rename(place);
  conversation.draft ||= typed.draft;
  memory.setDraft(place, conversation.draft);
  conversations.set(place, conversation);
  if (store.current === from) {
    store.current = place;
    store.emit("moved", { name: place });
  }
  store.emit("list");
}
