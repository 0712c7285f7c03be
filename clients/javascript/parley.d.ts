/** Types of Parley's client; see docs/reference/javascript.md for examples. */

/** Where one talks: `#room` is a room, `@user` the direct chat with a user. */
export type Place = `#${string}` | `@${string}`;

/** What the server refuses, and what could not be asked. */
export declare class ParleyError extends Error {
  constructor(code: string, message: string, retryable?: boolean, retryAfterMs?: number);
  /** As the protocol names it (`forbidden`, `too_long`, ...), or `connection_lost`, `timeout`, `closed`, `discarded`, `storage_full`, `no_token`. */
  readonly code: string;
  /** The same may succeed later. Requests that take such errors were tried again already. */
  readonly retryable: boolean;
  /** Milliseconds before which the server does not take it again (`rate_limited`); else 0. */
  readonly retryAfterMs: number;
}

/** A message of a room or a direct chat. */
export interface Message {
  place: Place;
  /** In the cluster. */
  id: number;
  /** Its place in the log of the room or chat; only grows. */
  seq: number;
  /** The seq before it; 0 for the first. */
  prev: number;
  sender: string;
  content: string;
  /** ISO 8601, in UTC. */
  createdAt: string;
  /** It keeps its place and says nothing. */
  deleted: boolean;
  /** In direct chats: its receiver had seen it when this was told. */
  seen?: boolean;
}

/** A message as it comes in. */
export interface MessageEvent extends Message {
  /** It was missed, and is caught up with. */
  missed: boolean;
  /** Of one's own message: the name that its `send` had. */
  clientMsgId?: string;
}

/** A message on its way out. */
export interface OutboxEntry {
  clientMsgId: string;
  place: Place;
  content: string;
  createdAt: string;
  /** `durable` and `discarded` are told once, and then it is not in the outbox any more. */
  state: "waiting" | "sending" | "accepted" | "durable" | "failed" | "discarded";
  /** Known once it is accepted. */
  id: number | null;
  seq: number | null;
  /** Why it failed. */
  error: { code: string; message: string } | null;
  /** It came back as a `message` event already. */
  echoed: boolean;
}

/** The server's word that a message is kept. */
export interface Accepted {
  place: Place;
  id: number;
  seq: number;
  createdAt: string;
}

export interface Chat {
  place: Place;
  user: string;
  chatId: number;
  /** Messages of the other one that this user has not seen. */
  unread: number;
  createdAt: string;
  lastMessage: Message | null;
}

export interface Page {
  /** Oldest first; deleted ones keep their place. */
  items: Message[];
  /** The last seq of the place. */
  head: number;
  /** A part of the server is away, and more may belong here. */
  partial: boolean;
}

export interface Joined {
  place: Place;
  /** The newest 100, oldest first. What follows them comes by events. */
  messages: Message[];
  head: number;
  /** What one is in the room, if more than a member. */
  role?: "owner" | "moderator";
  /** Of a locked room: opens it to this user without the password, for a day by default. */
  grant?: string;
}

export interface StateEvent {
  state: State;
  /** Where it is connected. */
  gateway: string | null;
  url?: string;
  /** `connected`: it is not the first connection. */
  again?: boolean;
  /** `reconnecting`: milliseconds until the next attempt. */
  inMs?: number;
  /** Why a connection was lost, or is no more to be had. */
  reason?: string;
}

export type State = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

/** What happens, by the name of the event. */
export interface Events {
  state: StateEvent;
  /** It is known who one is; `before` is "", or what a guest was called on the last connection. */
  user: { username: string; before: string };
  /** The server does not believe who one is, also with a fresh token: the client is closed. */
  unauthorized: { message: string };
  message: MessageEvent;
  /** One message is deleted. */
  deleted: { place: Place; id: number; seq: number };
  /** Everything in the room before `seq` is deleted. */
  cleared: { place: Place; seq: number };
  /** A user, perhaps oneself elsewhere, has seen everything up to `seq`. */
  seen: { place: Place; user: string; seq: number };
  /** Who is typing now. */
  typing: { place: Place; users: string[] };
  online: { users: string[] };
  /** A message on its way out has another state. */
  outbox: OutboxEntry;
  accepted: OutboxEntry;
  /** With the option `durable`: one's own messages in the place up to `seq` are in the database. */
  durable: { place: Place; seq: number };
  /** After a reconnect: everything that was missed has been told. */
  caughtUp: { messages: number };
  /** The server cannot go on where one was: read the place anew. */
  reset: { place: Place };
  /** What `by` did to `user` in a room. For that user itself `kicked` and `banned` are followed by `lost`. */
  kicked: { place: Place; seq: number; user: string; by: string };
  banned: { place: Place; seq: number; user: string; by: string };
  unbanned: { place: Place; seq: number; user: string; by: string };
  /** A user is a moderator of the room from here on, or none any more. */
  moderatorChanged: { place: Place; seq: number; user: string; by: string; moderator: boolean };
  /** The room has another password, or none. Who is inside stays. */
  passwordChanged: { place: Place; seq: number; by: string; protected: boolean };
  /** One was put out of the room (`code` is `kicked` or `banned`), or is not let in again after a reconnect. */
  lost: { place: Place; code: string; message: string };
  /** A direct chat that was not there before. */
  chat: { place: Place; user: string; chatId: number };
  /** After a reconnect: all direct chats. */
  chats: { chats: Chat[] };
  chatDeleted: { place: Place };
  /** Who came and went, in words; `place` is null for what is about everybody. */
  notice: { place: Place | null; content: string; createdAt: string };
  /** An error that answers no request. */
  error: ParleyError;
  /** What this client does not know, as it came; what has a place in a log comes in its turn. */
  other: Other;
}

/** An event that this client does not know, by its name on the wire. */
export interface Other {
  event: string;
  data: unknown;
  room?: string;
  chatId?: number;
}

/** What the client needs of `localStorage`. */
export interface StorageLike {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Who one is: a name, or what a token says, or a guest whom the server gives a name. */
export type Who =
  | { username: string; token?: undefined; guest?: false }
  | {
      /** From the application's own sign-in; asked for anew for each connection, and before the last one expires. */
      token: string | (() => string | null | undefined | Promise<string | null | undefined>);
      /** If given, the token has to name this user. */
      username?: string;
      /** Show it over HTTP first, and connect with a one-use ticket: where something in between lets nobody in otherwise. */
      tickets?: boolean;
      guest?: false;
    }
  | { guest: true; username?: undefined; token?: undefined };

export type Options = Who & {
  /** Keep a message in the outbox until the database has it, and tell so. */
  durable?: boolean;
  /** Keeps the outbox beyond the life of the page: `localStorage`, or the like. */
  storage?: StorageLike | null;
  /** Where there is none, or another one is wanted. */
  WebSocket?: new (url: string, protocols: string[]) => unknown;
};

export interface RequestOptions {
  /** It may be sent again when the connection was lost before its answer. */
  repeat?: boolean;
  /** Milliseconds in all; 30,000 unless given. */
  within?: number;
  /** Milliseconds that the server may ask to wait (`retryAfterMs`) before it is tried again; `within` unless given. */
  longest?: number;
}

/**
 * A client that stays connected. It reconnects with growing random pauses, goes on where it was,
 * and tells each message of its rooms and direct chats once and in order.
 *
 * Whatever asks the server waits for a connection, tries again what passes, and may reject with a
 * `ParleyError`.
 */
export declare class Parley {
  /** `url`: `http(s)://host:port` or `ws(s)://host:port/ws`; of several, each attempt goes to the next. */
  constructor(url: string | URL | (string | URL)[], options: Options);

  /** "" until the server has said it, with a token or as a guest. */
  readonly username: string;
  readonly state: State;
  /** The name of the gateway it is connected to. */
  readonly gateway: string | null;
  /** Characters of a message. */
  readonly maxContent: number;
  /** What was sent and is not kept yet, in order. */
  readonly outbox: OutboxEntry[];

  /** Call `listener` for each event of a type; returns what ends that. */
  on<T extends keyof Events>(type: T, listener: (event: Events[T]) => void): () => void;
  /** The same for events that this client does not know, by their name on the wire. */
  on<T extends string>(type: Exclude<T, keyof Events>, listener: (event: Other) => void): () => void;
  /** Connect, and stay connected; resolves with the first connection, rejects if the server does not want this client. */
  connect(): Promise<void>;
  /** End the connection, and open no other. */
  close(): void;
  /** Do not wait for the next attempt. */
  reconnectNow(): void;

  /** Make a room; a password locks it. */
  createRoom(name: string, options?: { password?: string }): Promise<{ id: number; name: string; protected: boolean; createdAt: string }>;
  /** Enter a room, now and after each reconnect. */
  join(name: string, keys?: { password?: string; grant?: string }): Promise<Joined>;
  leave(name: string): Promise<void>;
  /** Rooms by name, after the one named `after`. */
  rooms(options?: { after?: string; limit?: number }): Promise<{ name: string; protected: boolean }[]>;
  /** Delete everything said in a room so far. */
  clear(name: string): Promise<void>;

  /** Put a user out of a room: as its owner, or as a moderator a user who is neither. */
  kick(name: string, user: string): Promise<void>;
  /** The same, for good; the owner may undo it. */
  ban(name: string, user: string): Promise<void>;
  unban(name: string, user: string): Promise<void>;
  /** Let a user kick, ban and delete what others said, or no more; as the room's owner. */
  setModerator(name: string, user: string, moderator?: boolean): Promise<void>;
  /** Give a room another password, or none; as its owner. */
  setPassword(name: string, password?: string): Promise<void>;

  /** Be seen online, and hear of one's direct chats, now and after each reconnect. */
  goOnline(): Promise<Chat[]>;
  goOffline(): Promise<void>;
  /** All direct chats, the one with the latest news first. */
  chats(): Promise<Chat[]>;
  /** Make the direct chat with a user, or find it. */
  createChat(user: string): Promise<{ place: Place; user: string; chatId: number }>;

  /**
   * Say something. Resolves when it is kept, however often it has to be sent until then; one after
   * the other for each place, in the order of the calls. Rejects when the server refuses it; then
   * it stays in the outbox as `failed` until `resend` or `discard`.
   */
  send(place: Place, content: string, options?: { clientMsgId?: string }): Promise<Accepted>;
  resend(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  /** A page of messages: the newest, those before a seq, or those after one. */
  history(place: Place, options?: { before?: number; after?: number; limit?: number }): Promise<Page>;
  /** Have seen everything up to a seq; the others are told. */
  seen(place: Place, seq: number): void;
  /** Be seen typing; call it at each key. */
  typing(place: Place): void;
  /** Delete one message: of one's own, or in a room where one is owner or moderator. */
  deleteMessage(id: number): Promise<void>;
  /** Ask anything that the protocol knows. */
  request(event: string, data: unknown, options?: RequestOptions): Promise<any>;
}
