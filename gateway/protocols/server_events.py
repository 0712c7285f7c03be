"""The table of what clients are sent, by event: its data, who gets it, and when.

The events of rooms' logs are not here: `shared/model/log_events.py` has them, but for messages.
`docs/reference` is made from both.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from gateway.protocols import payloads as out
from shared.model.fields import UserId

ASKER: Final = "the connection that asked"
IN_ROOM: Final = "everyone in the room"
IN_PLACE: Final = "everyone in the room, or both users of the chat"
OTHERS: Final = "the others in the room, or the other user of the chat"
BOTH: Final = "both users of the chat, on all their connections"


class ServerEvent(NamedTuple):
    """Event that clients are sent.

    Attributes:
        data: the type of its data.
        recipients: who gets it.
        meaning: what it says, and when it comes.
        location: what stands beside its data: `room`, `chatId`, or either.
        is_place: its data has `seq` and `prev`: it belongs to the log of its room or chat.
        users: what the list of users beside its data says; empty where there is none.
    """

    data: Any
    recipients: str
    meaning: str
    location: tuple[str, ...] = ()
    is_place: bool = False
    users: str = ""


SERVER_EVENTS: Final[Mapping[str, ServerEvent]] = {
    "welcome": ServerEvent(
        out.WelcomePayload,
        "a connection that was opened with `?welcome=1`",
        "The first event of the connection, once the server knows who it is.",
    ),
    "notification": ServerEvent(
        out.NotificationPayload,
        "everyone, or everyone in the room if `room` is beside the data",
        "A line for people: a user connected, disconnected, joined or left, or all messages were"
        " deleted; to a user who gave a wrong password, that it is wrong. Programs do not need it."
        " A user with several connections has connected or joined with the first, and disconnected"
        " or left with the last; each connection is told of its own start. Where a gateway was"
        " killed, its users who are connected nowhere else have disconnected, 6 to 15 s later."
        " Above `BROADCAST_LIMIT` connections, a user who connects is told to that user alone, and"
        " one who disconnects to the rooms they were in.",
        ("room",),
    ),
    "messageHistory": ServerEvent(
        list[out.MessagePayload],
        ASKER,
        "The newest messages of a room, oldest first, when it is joined. It comes before the reply"
        " to `joinRoom`, whose `next` says where older ones begin. Deleted messages are left out.",
        ("room",),
    ),
    "passwordStatus": ServerEvent(
        bool,
        ASKER,
        "True: the room was joined. False: there is no such room, the password is wrong, or the"
        " user is banned. These look alike, but the error of a ban from a room without a password"
        " has a `reason`. It comes before the reply to `joinRoom`, or before its error.",
        ("room",),
    ),
    "banLifted": ServerEvent(
        out.BanLiftedPayload,
        "the user who was banned, on all connections",
        "The owner of a room without a password has lifted the ban: the user may join again. The"
        " members of the room get `unbanned`.",
    ),
    "roomCreated": ServerEvent(
        out.RoomCreatedPayload,
        ASKER,
        "A room was created by `createRoom`. The reply says the same.",
    ),
    "rooms": ServerEvent(list[out.RoomPayload], ASKER, "The rooms that `getRooms` found, by name."),
    "message": ServerEvent(
        out.MessagePayload,
        IN_ROOM + ", the sender too",
        "A message of a room. After a `resume`, also one that was missed.",
        ("room",),
        is_place=True,
    ),
    "newMessage": ServerEvent(
        out.NewMessagePayload,
        BOTH,
        "A message of a direct chat. It names its chat in its data. After a `resume`, also one"
        " that was missed.",
        is_place=True,
    ),
    "typing": ServerEvent(
        str,
        OTHERS,
        "A line such as `ann is typing...` whenever a user begins to type or goes on, and again"
        " with the name of one who still types when another has stopped. It is empty once nobody"
        " types. Typing ends with the user's message, or 2.2 s after their last `typing`, and"
        " within 0.5 s more where their gateway was killed. A client that falls behind gets the"
        " empty line only. A client that loses its connection should show nobody as typing.",
        ("room", "chatId"),
        users="All users who are typing, in the order in which they began, but for the recipient's"
        " connection: names as in `sender`, in a direct chat ids as in `senderId`. At most 10."
        " Socket.IO clients do not get it, nor does an older server send it.",
    ),
    "seen": ServerEvent(
        out.SeenPayload,
        OTHERS + "; after a `resume`, the connection that asked",
        "A user has seen everything up to a `seq`. It never goes back, except after a"
        " `resume_required`.",
        ("room", "chatId"),
    ),
    "messageSeen": ServerEvent(
        out.MessageSeenPayload,
        "the user who sent the message, and the reader's other connections",
        "A message of a direct chat was marked as seen, and all before it.",
        ("chatId",),
    ),
    "onlineUsers": ServerEvent(
        list[UserId],
        "users who are online: those online with whom they share a direct chat, or everyone"
        " online up to `BROADCAST_LIMIT` connections",
        "All users online that the recipient may see, the recipient too, as many as fit on a page."
        " It comes whenever that changes; to a recipient who has much to read yet, a later one"
        " comes. Where all users online do not fit, each sees those with whom they share a chat.",
    ),
    "chatsList": ServerEvent(
        list[out.ListedChatPayload],
        ASKER,
        "The user's direct chats, the one with the latest message first, as many as fit on a page."
        " After `userOnline` it has only those with unread messages, and does not come if there are"
        " none. `next` of the reply says where the list goes on.",
    ),
    "newChat": ServerEvent(
        out.ChatPayload,
        BOTH,
        "A direct chat was created. It also answers `createChat` for a chat that was there.",
    ),
    "loadMessages": ServerEvent(
        list[out.NewMessagePayload],
        ASKER,
        "The page that `getMessages` asked for, oldest first. Deleted messages are left out.",
    ),
    "chatDeleted": ServerEvent(
        out.ChatDeletedPayload,
        BOTH,
        "A direct chat was deleted with all its messages. The next one of the pair has a new id.",
    ),
    "durable": ServerEvent(
        out.DurablePayload,
        "the connection that sent the message, if it was opened with `?durable=1`",
        "The database has what this connection sent there up to a `seq`, since the last"
        " `resume_required`. It comes after the reply to the send.",
    ),
    "resume_required": ServerEvent(
        out.ResumeRequiredPayload,
        "everyone in the rooms and chats it names",
        "The broker may have lost events. Send `resume` for these rooms and chats, on this"
        " connection, from the last `seq` you had when this came.",
    ),
    "lagged": ServerEvent(
        out.LaggedPayload,
        "a connection that did not read what it was sent",
        "Later events of this room were not sent. The connection closes with 1013: connect again"
        " and resume.",
        ("room",),
    ),
    "reconnect": ServerEvent(
        out.ReconnectPayload,
        "every connection of a gateway that is stopping",
        "Connect again after this time, which leads to another gateway, and resume. The connection"
        " closes with 1012 otherwise.",
    ),
}
"""What clients are sent over `/ws` and Socket.IO, by event."""

LOG_EVENT_RECIPIENTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "deleteMessages": (IN_ROOM, ("room",)),
    "messageDeleted": (IN_PLACE, ("room", "chatId")),
    "kicked": (IN_ROOM + ", and the user who was removed", ("room",)),
    "banned": (IN_ROOM + ", and the user who was banned", ("room",)),
    "unbanned": (IN_ROOM, ("room",)),
    "moderatorChanged": (IN_ROOM, ("room",)),
    "passwordChanged": (IN_ROOM, ("room",)),
    "skipped": (IN_PLACE, ("room", "chatId")),
}
"""Who gets the other events of rooms' logs, and what stands beside their data."""
