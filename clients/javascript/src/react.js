/** React hooks for Parley's client: the package's entry `parley-chat/react`. */

export { ChatProvider, useChatEvent, useChats, useClient, useConnection, useDirectChat, useOnlineUsers, useRoom } from "./react/hooks.js";
