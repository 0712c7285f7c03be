"""What a user may do: the one place. Whatever a client asks is judged here, by one table.

What somebody may not see looks like what does not exist, so there are two ways of saying no:
`FORBIDDEN` to those who know of the thing, `UNSEEN` to all others.
"""

from collections.abc import Callable, Mapping
from enum import Enum, IntEnum
from typing import Final, Literal

import msgspec

from shared.errors import ChatError
from shared.model.rooms import Room


class Verdict(Enum):
    """Whether something may be done."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    UNSEEN = "unseen"


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What somebody asks for.

    Attributes:
        user: who asks; None for somebody without a name.
        room: the room or chat it is about; None where there is none.
        inside: whether the asking connection is in the room.
        about: the users it is about: whose chats, whose message, who is to be kicked.
        verified: whether names are proven. Where they are not, who is in a room may do there what
            its moderators may do to messages, and a name alone is no proof of owning a room.
    """

    user: str | None
    room: Room | None
    inside: bool
    about: tuple[str, ...]
    verified: bool


class Role(IntEnum):
    """What somebody is in a room, each more than the one before."""

    STRANGER = 0
    MODERATOR = 1
    OWNER = 2


def role_of(user: str | None, room: Room) -> Role:
    """What a user is in a named room. Members who are nothing else are strangers here."""
    if room.kind == "direct" or user is None:
        return Role.STRANGER
    if user == room.creator:
        return Role.OWNER
    return Role.MODERATOR if user in room.standings.moderators else Role.STRANGER


def may_stay(room: Room, user: str, since: int) -> bool:
    """Whether somebody who was let into a room at a place of its log may be in it still."""
    standings = room.standings
    return user not in standings.banned and standings.kicked.get(user, 0) <= since


def _anybody(_asked: Asked) -> Verdict:
    return Verdict.ALLOWED


def _oneself(asked: Asked) -> Verdict:
    """Nobody acts for others. Where names are not proven, who has none may ask about anybody."""
    nobody = asked.user is None and not asked.verified
    return Verdict.ALLOWED if nobody or asked.user in asked.about else Verdict.FORBIDDEN


def _entrant(asked: Asked) -> Verdict:
    """A room that is not closed to the user, its password aside, or one of the user's chats."""
    room = asked.room
    if room is None or room.kind == "direct":
        return _insider(asked)
    return Verdict.UNSEEN if asked.user in room.standings.banned else Verdict.ALLOWED


def _insider(asked: Asked) -> Verdict:
    """In the room, or one of the chat's two users."""
    room = asked.room
    if room is None:
        return Verdict.UNSEEN
    inside = asked.inside if room.kind == "room" else asked.user in room.users
    return Verdict.ALLOWED if inside else Verdict.UNSEEN


def _chat_by_id(asked: Asked) -> Verdict:
    """One of the chat's two users. Where names are not proven, REST carries none."""
    if asked.room is not None and asked.user is None and not asked.verified:
        return Verdict.ALLOWED
    return _insider(asked)


def _clearer(asked: Asked) -> Verdict:
    """Anybody inside; where names are proven, one of them who moderates."""
    verdict = _insider(asked)
    if verdict is Verdict.ALLOWED and asked.verified and not _role(asked):
        return Verdict.FORBIDDEN
    return verdict


def _deleter(asked: Asked) -> Verdict:
    """Inside, and who sent the message or moderates the room."""
    verdict = _insider(asked)
    if verdict is Verdict.ALLOWED and asked.user not in asked.about and not _role(asked):
        return Verdict.FORBIDDEN
    return verdict


def _receiver(asked: Asked) -> Verdict:
    """One of the chat's two users, and not the one who sent the message."""
    if asked.room is None or asked.room.kind != "direct":
        return Verdict.UNSEEN
    verdict = _insider(asked)
    if verdict is Verdict.ALLOWED and asked.user in asked.about:
        return Verdict.FORBIDDEN
    return verdict


def _moderator(asked: Asked) -> Verdict:
    """More in the room than the one it is done to: the owner, or a moderator to a member."""
    verdict = _knows(asked)
    if verdict is Verdict.ALLOWED and asked.room is not None:
        others = max(role_of(user, asked.room) for user in asked.about)
        return Verdict.ALLOWED if _role(asked) > others else Verdict.FORBIDDEN
    return verdict


def _owner(asked: Asked) -> Verdict:
    """Who made the room. What an owner is cannot be changed."""
    verdict = _knows(asked)
    if verdict is Verdict.ALLOWED and asked.room is not None:
        mine = _role(asked) is Role.OWNER and asked.room.creator not in asked.about
        return Verdict.ALLOWED if mine else Verdict.FORBIDDEN
    return verdict


def _knows(asked: Asked) -> Verdict:
    """Inside; or more than a member by a proven name, wherever one is."""
    if asked.verified and _role(asked):
        return Verdict.ALLOWED
    return _insider(asked)


def _role(asked: Asked) -> Role:
    return role_of(asked.user, asked.room) if asked.room else Role.STRANGER


Rule = Callable[[Asked], Verdict]

RULES: Final[Mapping[str, Rule]] = {
    "authenticate": _anybody,
    "setUsername": _anybody,
    "createRoom": _anybody,
    "getRooms": _anybody,
    "userOnline": _oneself,
    "userOffline": _oneself,
    "joinRoom": _entrant,
    "resume": _entrant,
    "leaveRoom": _anybody,
    "message": _insider,
    "typing": _insider,
    "history": _insider,
    "seen": _insider,
    "deleteMessages": _clearer,
    "deleteMessage": _deleter,
    "kick": _moderator,
    "ban": _moderator,
    "unban": _owner,
    "setModerator": _owner,
    "setPassword": _owner,
    "getChats": _oneself,
    "createChat": _oneself,
    "sendMessage": _oneself,
    "getMessages": _insider,
    "markAsSeen": _receiver,
    "POST /tickets": _anybody,
    "POST /chats": _oneself,
    "GET /chats/{chat}": _chat_by_id,
    "DELETE /chats/{chat}": _chat_by_id,
    "GET /chats/user/{user}": _oneself,
}
"""Who may what: by the event that asks for it, or the request."""

SENTENCES: Final[Mapping[Rule, str]] = {
    _oneself: "nobody acts for somebody else",
    _clearer: "only the owner or a moderator may delete what others said",
    _deleter: "only its sender may delete a message, or who moderates its room",
    _receiver: "only its receiver may mark a message as seen",
    _moderator: "only the owner may, or a moderator to one who is neither",
    _owner: "only the owner of the room may, and to others",
}


def not_joined() -> ChatError:
    """The connection is not in the room, or there is no such room."""
    return ChatError("not_joined", "join the room first")


def put_out() -> ChatError:
    """Somebody was put out of a room while on the way in; it looks as if there were none."""
    return ChatError("forbidden", "no such room, or a wrong password")


class Authorization:
    """Judges by the table, and says no in the words of the protocol."""

    def __init__(self, auth_mode: Literal["open", "jwt"]) -> None:
        self._verified = auth_mode == "jwt"

    def judge(
        self,
        action: str,
        user: str | None,
        room: Room | None = None,
        *,
        inside: bool = False,
        about: tuple[str, ...] = (),
    ) -> Verdict:
        """Whether a user may do something.

        Args:
            action: an event of the dispatcher's table, or a request of REST.
            user: who asks; None for somebody without a name.
            room: the room or chat it is about, if there is one.
            inside: whether the asking connection is in it.
            about: the users it is about.
        """
        return RULES[action](Asked(user, room, inside, about, self._verified))

    def authorize(
        self,
        action: str,
        user: str | None,
        room: Room | None = None,
        *,
        inside: bool = False,
        about: tuple[str, ...] = (),
        unseen: Callable[[], ChatError] = not_joined,
    ) -> None:
        """As `judge`, for those who go on only where they may.

        Args:
            action: as for `judge`, and so are the next four.
            user: who asks.
            room: where.
            inside: whether the connection is in it.
            about: other users.
            unseen: what is said of a room or chat that does not exist.

        Raises:
            ChatError: `forbidden`, or `unseen`.
        """
        rule = RULES[action]
        verdict = rule(Asked(user, room, inside, about, self._verified))
        if verdict is not Verdict.ALLOWED:
            hidden = verdict is Verdict.UNSEEN
            raise unseen() if hidden else ChatError("forbidden", SENTENCES[rule])
