// Constants of the protocol: error codes, close codes and limits.
// Generated from the server's `shared/protocol` by `make generate`; do not edit.

/** The code of an error of the server. */
export type ErrorCode =
  | "bad_frame"
  | "bad_request"
  | "unknown_event"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "not_joined"
  | "room_exists"
  | "too_long"
  | "too_many"
  | "rate_limited"
  | "overloaded"
  | "broker_unavailable"
  | "storage_unavailable"
  | "internal";

/** Codes of errors after which the same request may succeed later, unchanged. */
export const RETRYABLE_ERRORS: ReadonlySet<string>;

/** Codes with which connections end. */
export const CLOSE_CODES: {
  /** The connection was closed as asked. */
  readonly NORMAL_CLOSURE: 1000;
  /** The server is leaving, an operator disconnected the user, or another connection took over this one's session. */
  readonly GOING_AWAY: 1001;
  /** The client's bytes break the WebSocket protocol. */
  readonly PROTOCOL_ERROR: 1002;
  /** The connection ended without a close frame. The server never sends this code; client libraries report it when the network or the gateway failed. */
  readonly ABNORMAL_CLOSURE: 1006;
  /** A text frame is not valid UTF-8. */
  readonly INVALID_DATA: 1007;
  /** The client broke a rule of the server, such as sending a message in too many fragments. */
  readonly POLICY_VIOLATION: 1008;
  /** A frame has more bytes than the server takes. */
  readonly MESSAGE_TOO_BIG: 1009;
  /** The server failed in a way it did not expect. */
  readonly INTERNAL_ERROR: 1011;
  /** The gateway is stopping. `reconnect` came before, unless the connection was just made. */
  readonly SERVICE_RESTART: 1012;
  /** The client did not read what was sent to it (`lagged` came before), or the server could not check who it is. */
  readonly TRY_AGAIN_LATER: 1013;
  /** The client's frames are not those of this protocol. */
  readonly INVALID_FRAMES: 4400;
  /** The token or ticket is missing, not valid, expired or revoked, or the server takes none. */
  readonly UNAUTHORIZED: 4401;
  /** The client said it is another user than its token names. */
  readonly FORBIDDEN: 4403;
  /** The client did not say who it is in time. */
  readonly IDENTITY_TIMEOUT: 4408;
  /** The user connected too often, the connection was refused too much in a short time, or its address is as many guests as it may be. */
  readonly TOO_MANY_REQUESTS: 4429;
};

/** Close codes after which another connection would end in the same way. */
export const FINAL_CLOSE_CODES: ReadonlySet<number>;

/** Close codes after which a client connects again only if it has a token. */
export const TOKEN_CLOSE_CODES: ReadonlySet<number>;

/** Close codes after which a client connects again only with a fresh token. */
export const NEW_TOKEN_CLOSE_CODES: ReadonlySet<number>;

/** The largest id, `seq`, user id or other integer: every integer is exact in JavaScript too. */
export const MAX_INTEGER: 9007199254740991;

/** Digits of an id, written as text. */
export const MAX_ID_DIGITS: 16;

/** Characters of a user's or a room's name. */
export const MAX_NAME_CHARACTERS: 128;

/** Characters of a name in a request, with blanks at its ends, or with accents as parts. */
export const MAX_TYPED_NAME_CHARACTERS: 256;

/** Characters of a `clientMsgId`. */
export const MAX_CLIENT_MSG_ID_CHARACTERS: 128;

/** Characters of a room's password. */
export const MAX_PASSWORD_CHARACTERS: 256;

/** Characters of a grant. */
export const MAX_GRANT_CHARACTERS: 1024;

/** Characters of a token. */
export const MAX_TOKEN_CHARACTERS: 8192;

/** Characters of a message that a server may be set to take (`MAX_CONTENT`). */
export const MAX_CONTENT_CHARACTERS: 16000;

/** Characters of a message that a server takes unless it is set otherwise; `welcome` says it. */
export const DEFAULT_CONTENT_CHARACTERS: 4000;

/** Characters of an event's name in a client's frame. */
export const MAX_EVENT_CHARACTERS: 64;

/** Characters of a frame's `id`, where it is text. */
export const MAX_REQUEST_ID_CHARACTERS: 128;

/** Bytes of a client's frame that every server takes; `welcome` says how many this one takes. */
export const DEFAULT_FRAME_BYTES: 65536;

/** Items of a page: of history, of a chat's messages, of the list of rooms, of chats. */
export const MAX_PAGE_ITEMS: 1000;

/** Items of a page of history where the request does not say how many, and of `messageHistory`. */
export const DEFAULT_PAGE_ITEMS: 100;

/** Bytes of the items of a page, as sent; half of `OUTBOX_LIMIT` if less. One always comes. */
export const MAX_PAGE_BYTES: 524288;

/** Bytes that a message may have in JSON, for each character of `MAX_CONTENT`. */
export const MAX_CONTENT_BYTES_PER_CHARACTER: 4;

/** Rooms and chats in one `resume`. */
export const MAX_RESUMED_PLACES: 1000;

/** Users of whom a room remembers that they are moderators, banned, or were kicked. */
export const MAX_ROOM_STANDINGS: 5000;

/** Seconds after the last `typing` of a user at which `typing ""` goes out. */
export const TYPING_SECONDS: 2.2;

/** Seconds a client has to authenticate, where the server wants tokens (close code 4408). */
export const IDENTIFY_SECONDS: 5.0;
