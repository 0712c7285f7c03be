/** Types of `parley-chat/react`; README.md has examples. */

import type { ReactElement, ReactNode } from "react";
import type {
  AcceptedMessage, ChatMessage, ConnectionState, DirectChat, OutboxEntry, Parley, ParleyError, ParleyEvents, Place,
} from "./parley.js";

/** Give a client to the hooks below it, and connect it. The application makes the client, and closes it. */
export declare function ChatProvider(props: { client: Parley; children?: ReactNode }): ReactElement;

/** The client of the nearest `ChatProvider`. */
export declare function useClient(): Parley;

export interface Connection {
  state: ConnectionState;
  /** The gateway the client is connected to. */
  gateway: string | null;
  /** "" until it is known. */
  username: string;
  /** Milliseconds until the next attempt, while it reconnects. */
  inMs: number | null;
  /** Why the connection was lost, or closed for good. */
  reason: string | null;
  /** Why `connect()` failed: no further attempt is made. */
  error: ParleyError | null;
}

/** The state of the connection. */
export declare function useConnection(): Connection;

/** A room or a direct chat as a component shows it. */
export interface Conversation {
  place: Place;
  /** `failed`: it could not be opened (`error`). `lost`: the user is not in the room any more (`error`). */
  status: "loading" | "ready" | "failed" | "lost";
  error: { code: string; message: string; reason?: string } | null;
  /** Oldest first. Deleted ones keep their position. */
  messages: ChatMessage[];
  /** The user's own messages that are on their way, or failed. */
  pending: OutboxEntry[];
  /** The other users who are typing. */
  typing: string[];
  /** How far other users have seen it, as far as it was told since it was opened: user -> seq. */
  seen: Record<string, number>;
  hasOlder: boolean;
  isLoadingOlder: boolean;
  /** The user's role in the room, if it is more than a member's. */
  role: "owner" | "moderator" | null;
  /** Put the page of messages before the first one in front of `messages`. */
  loadOlder(): Promise<void>;
  /** Send a message; see `Parley.send`. */
  send(content: string): Promise<AcceptedMessage>;
  /** Send a failed message again, or give it up. */
  resend(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  deleteMessage(id: number): Promise<void>;
  /** Mark everything up to `seq` as seen; up to the last message unless given. */
  markSeen(seq?: number): void;
  /** Show the others that this user is typing; call it at each key. */
  notifyTyping(): void;
}

export interface RoomConversation extends Conversation {
  /** Enter the room again after it failed or was lost, such as with a password. */
  join(keys?: { password?: string; grant?: string }): Promise<void>;
}

export interface RoomHookOptions {
  password?: string;
  grant?: string;
  /** Leave the room when no component shows it any more; true unless given. */
  leaveOnUnmount?: boolean;
}

/** Be in a room while the component is mounted, and show it. */
export declare function useRoom(name: string, options?: RoomHookOptions): RoomConversation;

/** Show the direct chat with a user. The first message creates the chat. The user is online while the component is mounted. */
export declare function useDirectChat(user: string): Conversation;

/** The direct chats of the user, the one with the latest message first. The user is online while the component is mounted. */
export declare function useChats(): { status: "loading" | "ready" | "failed"; error: ParleyError | null; chats: DirectChat[] };

/** The users who are online. The user is one of them while the component is mounted. */
export declare function useOnlineUsers(): string[];

/** Call `listener` for each event of a type while the component is mounted. */
export declare function useChatEvent<T extends keyof ParleyEvents>(type: T, listener: (event: ParleyEvents[T]) => void): void;
