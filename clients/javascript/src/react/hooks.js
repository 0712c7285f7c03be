/** The hooks. They render on a server, too: there they show a client that is not connected. */

import { createContext, createElement, useContext, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { storesOf } from "./stores.js";

const ClientContext = createContext(null);

/** Give `client` to the hooks below, and connect it. The application made the client, and closes it. */
export function ChatProvider({ client, children }) {
  useEffect(() => {
    storesOf(client).connection.connect();
  }, [client]);
  return createElement(ClientContext.Provider, { value: client }, children);
}

export function useClient() {
  const client = useContext(ClientContext);
  if (!client) throw new Error("this hook needs a <ChatProvider client={...}> above it");
  return client;
}

export function useConnection() {
  return useStore(storesOf(useClient()).connection);
}

export function useRoom(name, { password, grant, leaveOnUnmount = true } = {}) {
  const store = storesOf(useClient()).room(name);
  // Before the subscription below, which enters the room.
  useEffect(() => {
    store.options = { password, grant, leaveOnUnmount };
  }, [store, password, grant, leaveOnUnmount]);
  return usePlace(store);
}

export function useDirectChat(user) {
  return usePlace(storesOf(useClient()).directChat(String(user)));
}

export function useChats() {
  return useStore(storesOf(useClient()).chats);
}

export function useOnlineUsers() {
  return useStore(storesOf(useClient()).online).users;
}

/** Call `listener` for each event of a type while the component is mounted. */
export function useChatEvent(type, listener) {
  const client = useClient();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => client.on(type, (event) => latest.current(event)), [client, type]);
}

const useStore = (store) => useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);

function usePlace(store) {
  const snapshot = useStore(store);
  return useMemo(() => {
    const { place, send, resend, discard, deleteMessage, notifyTyping, markSeen, loadOlder, join } = store;
    const actions = { place, send, resend, discard, deleteMessage, notifyTyping, markSeen, loadOlder };
    return { ...snapshot, ...actions, ...(join && { join }) };
  }, [store, snapshot]);
}
