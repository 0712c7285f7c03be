/** The events of the client, and what they carry. */

import type { ParleyError } from "./parley.js";

/** A room or a direct chat: `#general` is the room general, `@bob` the direct chat with bob. */
export type Place = `#${string}` | `@${string}`;

/** A message of a room or a direct chat. */
export interface ChatMessage {
  place: Place;
  /** Unique in the cluster. */
  id: number;
  /** Its position in the log of the room or chat; later messages have higher ones. */
  seq: number;
  /** The seq of the event before it; 0 for the first. */
  prev: number;
  sender: string;
  content: string;
  /** ISO 8601, in UTC. */
  createdAt: string;
  /** A deleted message keeps its position and has no content. */
  deleted: boolean;
  /** In direct chats: its receiver had seen it when it was read from the server. */
  seen?: boolean;
}

/** A message as it comes in. */
export interface ChatMessageEvent extends ChatMessage {
  /** It was sent while this client was not connected. */
  missed: boolean;
  /** Of the user's own message: the `clientMsgId` of its `send`. */
  clientMsgId?: string;
}

/** A message that is being sent. */
export interface OutboxEntry {
  clientMsgId: string;
  place: Place;
  content: string;
  createdAt: string;
  /** `durable` and `discarded` are the last: after them the entry is not in the outbox any more. */
  state: "waiting" | "sending" | "accepted" | "durable" | "failed" | "discarded";
  /** `id` and `seq` are known once it is accepted. */
  id: number | null;
  seq: number | null;
  /** Why it failed. */
  error: { code: string; message: string } | null;
  /** It has come back as a `message` event. */
  echoed: boolean;
}

/** A direct chat in the list of the user's chats. */
export interface DirectChat {
  place: Place;
  /** The other user. */
  user: string;
  chatId: number;
  /** Messages of the other user that this user has not seen. */
  unread: number;
  createdAt: string;
  lastMessage: ChatMessage | null;
}

export type ConnectionState = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

export interface ConnectionStateEvent {
  state: ConnectionState;
  /** The gateway it is connected to. */
  gateway: string | null;
  url?: string;
  /** `connected`: it is not the first connection. */
  again?: boolean;
  /** `reconnecting`: milliseconds until the next attempt. */
  inMs?: number;
  /** Why the connection was lost, or closed for good. */
  reason?: string;
}

/** An event that this client does not know, by its name in the protocol. */
export interface UnknownEvent {
  event: string;
  data: unknown;
  room?: string;
  chatId?: number;
}

/** What an owner or moderator (`by`) did to a user of a room. */
export interface RightsEvent {
  place: Place;
  seq: number;
  user: string;
  by: string;
}

/** What each event carries, by its type. */
export interface ParleyEvents {
  state: ConnectionStateEvent;
  /**
   * The user's name is known. `before` is "", the name that a guest had on the last connection, or
   * another spelling of the name, with which this client was made.
   */
  user: { username: string; before: string };
  /** The server refused the token, and a fresh one, too: the client is closed. */
  unauthorized: { message: string };
  message: ChatMessageEvent;
  /** One message was deleted. */
  deleted: { place: Place; id: number; seq: number };
  /** Everything in the room before `seq` was deleted. */
  cleared: { place: Place; seq: number };
  /** A user, perhaps this one on another device, has seen everything up to `seq`. */
  seen: { place: Place; user: string; seq: number };
  /** The users who are typing now, without this one. */
  typing: { place: Place; users: string[] };
  /** The users who are online now. */
  online: { users: string[] };
  /** A message that is being sent has another state. */
  outbox: OutboxEntry;
  accepted: OutboxEntry;
  /** With the option `durable`: the database has the user's own messages of the place up to `seq`. */
  durable: { place: Place; seq: number };
  /** After a reconnect: everything that was missed has been emitted. */
  caughtUp: { messages: number };
  /** The server cannot say what was missed: read the place again. */
  reset: { place: Place };
  /** A user was put out of a room. For that user `lost` follows; the same for `banned`. */
  kicked: RightsEvent;
  banned: RightsEvent;
  unbanned: RightsEvent;
  /** A user became a moderator of the room, or is none any more. */
  moderatorChanged: RightsEvent & { moderator: boolean };
  /** The room has another password, or none. Users who are inside stay. */
  passwordChanged: { place: Place; seq: number; by: string; protected: boolean };
  /** The user, who is not in this room without a password, is banned from it no more, and may join again. */
  banLifted: { place: Place };
  /**
   * The user is not in the room any more: put out (`code` is `kicked` or `banned`), or not admitted after a reconnect.
   * `reason` is `kicked` or `banned` where that is known, also if it happened while the client was away.
   */
  lost: { place: Place; code: string; message: string; reason?: string };
  /** A direct chat was created. */
  chat: { place: Place; user: string; chatId: number };
  /** After a reconnect: all direct chats. */
  chats: { chats: DirectChat[] };
  chatDeleted: { place: Place };
  /**
   * A room or chat was named in another spelling, `from`, than the server's, `place`. From now on
   * events have the latter; requests may have either.
   */
  renamed: { from: Place; place: Place };
  /** A text for people about a room, such as who joined it; `place` is null where it is about no room. */
  notice: { place: Place | null; content: string; createdAt: string };
  /** An error that belongs to no request. */
  error: ParleyError;
  /** An event that this client does not know. One that has a position in a log comes in its order. */
  other: UnknownEvent;
}

/** An event with its type, as the iterator `events()` yields it. */
export type TypedEvent<T extends keyof ParleyEvents = keyof ParleyEvents> =
  { [K in T]: { type: K; event: ParleyEvents[K] } }[T];
