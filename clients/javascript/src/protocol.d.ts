/** The requests of the protocol: what each sends, and what its reply holds. */

/** A user's id. One that is written as an integer comes back as an integer. */
export type UserId = string | number;

/** No fields: a reply that only says that it is done. */
export type Nothing = Record<string, never>;

/** A part of the list of what was done in a room, the newest first. */
export interface ModerationLog {
  items: {
    seq: number;
    at: string;
    action:
      | "kicked"
      | "banned"
      | "unbanned"
      | "moderatorChanged"
      | "passwordChanged"
      | "messageDeleted"
      | "deleteMessages"
      | "roomCreated";
    by?: UserId;
    user?: UserId;
    moderator?: boolean;
    protected?: boolean;
    messageId?: number;
  }[];
  /** `before` of the following part; null if there is nothing more. */
  next: number | null;
  partial?: boolean;
}

/** A message of a room, as the protocol has it. */
export interface RoomMessageData {
  id: number;
  seq: number;
  /** The seq of the event before it; 0 for the first. */
  prev: number;
  room: string;
  content?: string;
  sender?: string;
  createdAt: string;
  deleted?: boolean;
}

/** A message of a direct chat, as the protocol has it. */
export interface ChatMessageData {
  id: number;
  chatId: number;
  seq: number;
  prev: number;
  senderId: UserId;
  receiverId: UserId;
  content?: string;
  seen: boolean;
  seenAt: string | null;
  createdAt: string;
  deleted?: boolean;
}

/** The reply to a message. */
export interface AcceptedData {
  id: number;
  seq: number;
  createdAt: string;
  /** Of a direct chat. */
  chatId?: number;
}

export interface ChatData {
  id: number;
  user1Id: UserId;
  user2Id: UserId;
  createdAt: string;
}

export interface RoomData {
  id: number;
  name: string;
  protected: boolean;
  createdAt: string;
}

export interface JoinedData {
  room: string;
  /** The last seq of the room. */
  head: number;
  epoch: number;
  /** `before` for `history`, to read older messages; null if there are none. */
  next: number | null;
  grant?: string;
  role?: "owner" | "moderator";
}

export interface ResumedData {
  recovered: boolean;
  /** The last seq; 0 where the user is not in the room any more. */
  head: number;
  /** `banned`, where the room has no password. */
  reason?: string;
}

/** The reply to an action on a user of a room. */
export interface MemberData {
  /** False if nobody of this name was ever here; the action holds all the same. Missing while the server cannot tell. */
  known?: boolean;
}

/** A room by its name, or a direct chat by its id. */
export type PlaceAddress = { room: string; chatId?: undefined } | { chatId: number; room?: undefined };

interface Member {
  room: string;
  user: UserId;
}

interface Sent {
  content: string;
  /** Names the message: sent again with the same name, it stays one message. */
  clientMsgId?: string;
  /** It may have been accepted before: the server looks. */
  resend?: boolean;
}

/**
 * The requests, by the event that makes each. A few take a bare value in place of an object, such
 * as the name of a room. Results that come as events of their own (`rooms`, `chatsList`,
 * `loadMessages`) are not part of the reply: `rooms()`, `chats()` and `history()` of the client
 * return them.
 */
export interface Commands {
  authenticate: { data: { token: string } | string; reply: { user: string; expiresIn: number } };
  setUsername: { data: { username: string } | string; reply: Nothing };
  createRoom: { data: { name: string; password?: string }; reply: RoomData };
  joinRoom: { data: { room: string; username?: string; password?: string; grant?: string }; reply: JoinedData };
  getRooms: { data: { after?: string; limit?: number; partial?: boolean }; reply: { partial?: boolean } };
  leaveRoom: { data: { room: string } | string; reply: Nothing };
  message: { data: Sent & { room: string; sender?: string }; reply: AcceptedData };
  sendMessage: { data: Sent & { senderId: UserId; receiverId: UserId; chatId?: number }; reply: AcceptedData };
  typing: { data: PlaceAddress; reply: Nothing };
  seen: { data: PlaceAddress & { seq: number }; reply: Nothing };
  history: {
    data: PlaceAddress & { before?: number; after?: number; limit?: number };
    reply: { items: (RoomMessageData | ChatMessageData)[]; head: number; partial: boolean; next: number | null };
  };
  resume: {
    data: { rooms?: Record<string, number>; chats?: Record<number, number>; grants?: Record<string, string> };
    reply: { rooms: Record<string, ResumedData>; chats: Record<string, ResumedData> };
  };
  deleteMessage: { data: { messageId: number } | number; reply: Nothing };
  deleteMessages: { data: { room: string } | string; reply: Nothing };
  kick: { data: Member; reply: MemberData };
  ban: { data: Member; reply: MemberData };
  unban: { data: Member; reply: MemberData };
  setModerator: { data: Member & { moderator: boolean }; reply: MemberData };
  getStandings: {
    data: { room: string; standing?: "banned" | "moderator"; after?: UserId; limit?: number };
    reply: { users: UserId[]; more: boolean };
  };
  getModerationLog: { data: { room: string; before?: number; limit?: number }; reply: ModerationLog };
  setPassword: { data: { room: string; password?: string }; reply: Nothing };
  userOnline: { data: { userId: UserId } | UserId; reply: Nothing };
  userOffline: { data: { userId: UserId } | UserId; reply: Nothing };
  getChats: {
    data: { userId: UserId; before?: string; limit?: number; partial?: boolean } | UserId;
    reply: { next: string | null; partial?: boolean };
  };
  createChat: { data: { user1Id: UserId; user2Id: UserId }; reply: ChatData };
  getMessages: {
    data: { chatId: number; before?: number; limit?: number } | number;
    reply: { next: number | null; partial?: boolean };
  };
  markAsSeen: { data: { messageId: number } | number; reply: Nothing };
}
