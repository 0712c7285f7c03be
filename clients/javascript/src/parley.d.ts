/** Types of Parley's client; README.md has examples. */

import type { ErrorCode } from "./constants.js";
import type {
  ChatMessage, ConnectionState, DirectChat, OutboxEntry, ParleyEvents, Place, TypedEvent, UnknownEvent,
} from "./events.js";
import type { Commands, MemberData, ModerationLog, RoomData } from "./protocol.js";

export type { ErrorCode } from "./constants.js";
export type * from "./events.js";
export type { AcceptedData, ChatData, ChatMessageData, Commands, JoinedData, MemberData, ModerationLog, PlaceAddress, RoomData, RoomMessageData, UserId } from "./protocol.js";

/** Errors that the client itself reports. */
export type ClientErrorCode =
  | "connection_lost" | "timeout" | "closed" | "discarded" | "storage_full" | "queue_full"
  | "no_token" | "no_websocket" | "bad_url";

/** A request that the server refused, or that could not be made. */
export declare class ParleyError extends Error {
  constructor(code: string, message: string, retryable?: boolean, retryAfterMs?: number, reason?: string);
  /** The cause. A newer server may have codes that are not listed here. */
  readonly code: ErrorCode | ClientErrorCode | (string & {});
  /** The same request may succeed later. Requests are repeated by the client before they reject with such an error. */
  readonly retryable: boolean;
  /** Milliseconds before which the server refuses it again (`rate_limited`); else 0. */
  readonly retryAfterMs: number;
  /** Which of the causes of `code` it is, where the server tells: `banned` for `forbidden`, where the room has no password. */
  readonly reason?: "banned" | (string & {});
}

/** The server's word that a message is kept. */
export interface AcceptedMessage {
  place: Place;
  id: number;
  seq: number;
  createdAt: string;
}

export interface HistoryPage {
  /** Oldest first. Deleted ones may be among them; they are not counted. */
  items: ChatMessage[];
  /** The last seq of the place. */
  head: number;
  /** A part of the server is away, and messages may be missing from the page. */
  partial: boolean;
  /** What to ask for the following page with, as `before` or as `after`; null if there is nothing more. */
  next: number | null;
}

/** A part of a list of users. */
export interface UserPage {
  users: string[];
  /** There are more: ask again with the last of these as `after`. */
  more: boolean;
}

export interface JoinedRoom {
  place: Place;
  /** The newest 100, oldest first. Later ones come as events. */
  messages: ChatMessage[];
  head: number;
  /** `before` for `history`, to read older messages; null if there are none. */
  next: number | null;
  /** The user's role in the room, if it is more than a member's. */
  role?: "owner" | "moderator";
  /** Of a protected room: admits this user without the password, for a day by default. */
  grant?: string;
}

/** What the client needs of `localStorage`. */
export interface StorageLike {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The user: by name, by a token, or a guest whom the server names. */
export type UserOptions =
  | { username: string; token?: undefined; guest?: false }
  | {
      /** From the application's own sign-in. A function is called for each connection, and before the last token expires. */
      token: string | (() => string | null | undefined | Promise<string | null | undefined>);
      /** If given, the token has to name this user. */
      username?: string;
      /** Exchange the token for a one-use ticket over HTTP first, for proxies that admit no WebSocket without one. */
      tickets?: boolean;
      guest?: false;
    }
  | { guest: true; username?: undefined; token?: undefined };

export type ParleyOptions = UserOptions & {
  /** Keep a message in the outbox until the database has it, and emit `durable` then. */
  durable?: boolean;
  /** Where the outbox outlives the page: `localStorage`, or the like. */
  storage?: StorageLike | null;
  /** Milliseconds until a request has to be answered; 30,000 unless given. A message is then sent again. */
  answerTimeoutMs?: number;
  /** A class to use in place of the global `WebSocket`. */
  WebSocket?: new (url: string, protocols: string[]) => unknown;
};

export interface RequestOptions {
  /** It may be sent again if the connection is lost before the reply: done twice, it changes nothing. */
  repeat?: boolean;
  /** Milliseconds in all; 30,000 unless given. */
  within?: number;
  /** Milliseconds that the client waits where the server asks for a pause (`retryAfterMs`); `within` unless given. */
  longest?: number;
}

export interface EventsOptions<T extends keyof ParleyEvents> {
  /** Only events of these types; all unless given. */
  types?: readonly T[];
  /** Events that may wait to be read, 1000 unless given. With more the iterator ends with the error `queue_full`. */
  limit?: number;
}

/** Events for one `for await` loop. */
export interface EventStream<E> {
  next(): Promise<IteratorResult<E, void>>;
  /** End it; a loop that is left with `break` does that. */
  return(): Promise<IteratorResult<E, void>>;
  [Symbol.asyncIterator](): EventStream<E>;
}

/**
 * A client that stays connected. It reconnects after random pauses that grow, resumes where it was,
 * and emits each message of its rooms and direct chats once and in order.
 *
 * A request waits for a connection, is repeated after retryable errors, and may reject with a
 * `ParleyError`.
 */
export declare class Parley {
  /** `url`: `http(s)://host:port` or `ws(s)://host:port/ws`. Of several, each attempt takes the next. */
  constructor(url: string | URL | (string | URL)[], options: ParleyOptions);

  /** "" until the server has said it, with a token or as a guest. */
  readonly username: string;
  readonly state: ConnectionState;
  /** The name of the gateway it is connected to. */
  readonly gateway: string | null;
  /** Characters that a message may have. */
  readonly maxContent: number;
  /** Bytes that a request may have, in JSON. */
  readonly maxFrame: number;
  /** The messages that are not sent or not kept yet, in order. */
  readonly outbox: OutboxEntry[];

  /** Call `listener` for each event of a type. Returns a function that removes it. */
  on<T extends keyof ParleyEvents>(type: T, listener: (event: ParleyEvents[T]) => void): () => void;
  /** The same for an event that this client does not know, by its name in the protocol. */
  on<T extends string>(type: Exclude<T, keyof ParleyEvents>, listener: (event: UnknownEvent) => void): () => void;
  /** Call `listener` for the next event of a type only. Returns a function that removes it. */
  once<T extends keyof ParleyEvents>(type: T, listener: (event: ParleyEvents[T]) => void): () => void;
  once<T extends string>(type: Exclude<T, keyof ParleyEvents>, listener: (event: UnknownEvent) => void): () => void;
  /** Remove a listener that `on` or `once` added. */
  off<T extends keyof ParleyEvents>(type: T, listener: (event: ParleyEvents[T]) => void): void;
  off<T extends string>(type: Exclude<T, keyof ParleyEvents>, listener: (event: UnknownEvent) => void): void;
  /** The events from now on, for `for await`. It ends when the client is closed, or when the loop is left. */
  events<T extends keyof ParleyEvents = keyof ParleyEvents>(options?: EventsOptions<T>): EventStream<TypedEvent<T>>;

  /**
   * Connect, and stay connected. Resolves with the first connection. Rejects if the server refuses
   * this client, or where there is no WebSocket (`no_websocket`).
   */
  connect(): Promise<void>;
  /** Close the connection for good; a new client is needed to connect again. */
  close(): void;
  /** Make the next attempt now. */
  reconnectNow(): void;

  /** Create a room; a password protects it. */
  createRoom(name: string, options?: { password?: string }): Promise<RoomData>;
  /** Enter a room, now and after each reconnect. */
  join(name: string, keys?: { password?: string; grant?: string }): Promise<JoinedRoom>;
  leave(name: string): Promise<void>;
  /** The rooms by name, those after the name `after`. */
  rooms(options?: { after?: string; limit?: number }): Promise<{ name: string; protected: boolean }[]>;
  /** Delete all messages of a room. */
  clear(name: string): Promise<void>;

  /** Put a user out of a room. Moderators may do it to members, the owner to everybody. */
  kick(name: string, user: string): Promise<MemberData>;
  /** Put a user out of a room for good; the owner may undo it. */
  ban(name: string, user: string): Promise<MemberData>;
  unban(name: string, user: string): Promise<MemberData>;
  /** Let a user kick, ban and delete messages, or no more. For the owner of the room. */
  setModerator(name: string, user: string, moderator?: boolean): Promise<MemberData>;
  /** The users who are banned from a room, by name, those after the name `after`. For its owner and moderators. */
  banned(name: string, page?: { after?: string; limit?: number }): Promise<UserPage>;
  /** What was done in a room by whom, the newest first. For its owner and moderators. */
  moderationLog(name: string, page?: { before?: number | null; limit?: number }): Promise<ModerationLog>;
  /** The moderators of a room, like `banned`. */
  moderators(name: string, page?: { after?: string; limit?: number }): Promise<UserPage>;
  /** Give a room another password, or none. For its owner. */
  setPassword(name: string, password?: string): Promise<void>;

  /** Appear online and receive the events of direct chats, now and after each reconnect. */
  goOnline(): Promise<DirectChat[]>;
  goOffline(): Promise<void>;
  /** All direct chats, the one with the latest message first. */
  chats(): Promise<DirectChat[]>;
  /** Create the direct chat with a user, or find it. */
  createChat(user: string): Promise<{ place: Place; user: string; chatId: number }>;

  /**
   * Send a message. Resolves once the server keeps it, however often it has to be sent until then.
   * The messages of a place are sent one after the other, in the order of the calls. Rejects if it
   * cannot be sent: it is too long (`too_long`) or no valid text (`bad_request`), the server refuses
   * it, or does not answer it three times (`timeout`). Then it stays in the outbox as `failed` until
   * `resend` or `discard`, it is not sent by itself again, and later messages go on.
   */
  send(place: Place, content: string, options?: { clientMsgId?: string }): Promise<AcceptedMessage>;
  resend(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  /** A page of messages: the newest, those before a seq, or those after one. */
  history(place: Place, options?: { before?: number; after?: number; limit?: number }): Promise<HistoryPage>;
  /** Mark everything up to a seq as seen by this user. */
  seen(place: Place, seq: number): void;
  /** Show the others that this user is typing; call it at each key. */
  typing(place: Place): void;
  /** Delete one message: the user's own, or any in a room where they are owner or moderator. */
  deleteMessage(id: number): Promise<void>;
  /** Make any request of the protocol. A function as `data` is called for each attempt. */
  request<E extends keyof Commands>(
    event: E, data: Commands[E]["data"] | (() => Commands[E]["data"]), options?: RequestOptions,
  ): Promise<Commands[E]["reply"]>;
  /** The same for a request that this client does not know. */
  request<E extends string>(event: Exclude<E, keyof Commands>, data: unknown, options?: RequestOptions): Promise<unknown>;
}
