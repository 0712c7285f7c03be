"""Who may do what: the rules, and what judges by them.

The table of actions (`gateway/api/actions.py`) names a rule for each action.

What somebody may not see looks like what does not exist, so there are two ways of saying no:
`FORBIDDEN` to those who know of the thing, `UNSEEN` to all others.
"""

from collections.abc import Callable, Mapping
from enum import Enum, IntEnum
from typing import Final, Literal, Protocol

import msgspec

from shared.errors import ChatError
from shared.model.rooms import Room


class Verdict(Enum):
    """Whether something may be done."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    UNSEEN = "unseen"


class AccessRequest(msgspec.Struct, frozen=True, gc=False):
    """What somebody asks for.

    Attributes:
        user: who asks; None for somebody without a name.
        name: who asks; what stands for a name where there is none.
        room: the room or chat it is about; None where there is none.
        inside: whether the asking connection is in the room.
        about: the users it is about: whose chats, whose message, who is to be kicked.
        verified: whether names are proven. Where they are not, who is in a room may do there what
            its moderators may do to messages, and a name alone is no proof of owning a room.
    """

    user: str | None
    name: str
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


def anybody(_asked: AccessRequest) -> Verdict:
    """Everybody may."""
    return Verdict.ALLOWED


def oneself(asked: AccessRequest) -> Verdict:
    """Nobody acts for others. Where names are not proven, who has none may ask about anybody."""
    nobody = asked.user is None and not asked.verified
    return Verdict.ALLOWED if nobody or asked.user in asked.about else Verdict.FORBIDDEN


def speaker(asked: AccessRequest) -> Verdict:
    """Nobody acts for others, not even somebody without a name."""
    return Verdict.ALLOWED if asked.name in asked.about else Verdict.FORBIDDEN


def entrant(asked: AccessRequest) -> Verdict:
    """A room that is not closed to the user, its password aside, or one of the user's chats."""
    room = asked.room
    if room is None or room.kind == "direct":
        return insider(asked)
    return Verdict.UNSEEN if asked.name in room.standings.banned else Verdict.ALLOWED


def insider(asked: AccessRequest) -> Verdict:
    """In the room, or one of the chat's two users."""
    room = asked.room
    if room is None:
        return Verdict.UNSEEN
    inside = asked.inside if room.kind == "room" else asked.user in room.users
    return Verdict.ALLOWED if inside else Verdict.UNSEEN


def chat_by_id(asked: AccessRequest) -> Verdict:
    """One of the chat's two users. Where names are not proven, REST carries none."""
    if asked.room is not None and asked.user is None and not asked.verified:
        return Verdict.ALLOWED
    return insider(asked)


def clearer(asked: AccessRequest) -> Verdict:
    """Anybody inside; where names are proven, one of them who moderates."""
    verdict = insider(asked)
    if verdict is Verdict.ALLOWED and asked.verified and not _role(asked):
        return Verdict.FORBIDDEN
    return verdict


def deleter(asked: AccessRequest) -> Verdict:
    """Inside, and who sent the message or moderates the room."""
    verdict = insider(asked)
    if verdict is Verdict.ALLOWED and asked.name not in asked.about and not _role(asked):
        return Verdict.FORBIDDEN
    return verdict


def receiver(asked: AccessRequest) -> Verdict:
    """One of the chat's two users, and not the one who sent the message."""
    if asked.room is None or asked.room.kind != "direct":
        return Verdict.UNSEEN
    verdict = insider(asked)
    if verdict is Verdict.ALLOWED and asked.name in asked.about:
        return Verdict.FORBIDDEN
    return verdict


def moderator(asked: AccessRequest) -> Verdict:
    """More in the room than the one it is done to: the owner, or a moderator to a member."""
    verdict = _knows(asked)
    if verdict is Verdict.ALLOWED and asked.room is not None:
        others = max(role_of(user, asked.room) for user in asked.about)
        return Verdict.ALLOWED if _role(asked) > others else Verdict.FORBIDDEN
    return verdict


def owner(asked: AccessRequest) -> Verdict:
    """Who made the room. What an owner is cannot be changed."""
    verdict = _knows(asked)
    if verdict is Verdict.ALLOWED and asked.room is not None:
        mine = _role(asked) is Role.OWNER and asked.room.creator not in asked.about
        return Verdict.ALLOWED if mine else Verdict.FORBIDDEN
    return verdict


def _knows(asked: AccessRequest) -> Verdict:
    """Inside; or more than a member by a proven name, wherever one is."""
    if asked.verified and _role(asked):
        return Verdict.ALLOWED
    return insider(asked)


def _role(asked: AccessRequest) -> Role:
    return role_of(asked.name, asked.room) if asked.room else Role.STRANGER


Rule = Callable[[AccessRequest], Verdict]
"""Says whether something may be done."""

SENTENCES: Final[Mapping[Rule, str]] = {
    oneself: "nobody acts for somebody else",
    speaker: "nobody acts for somebody else",
    clearer: "only the owner or a moderator may delete what others said",
    deleter: "only its sender may delete a message, or who moderates its room",
    receiver: "only its receiver may mark a message as seen",
    moderator: "only the owner may, or a moderator to one who is neither",
    owner: "only the owner of the room may, and to others",
}
"""What is said to those who know of a thing and may not do this to it."""


def not_joined() -> ChatError:
    """The connection is not in the room, or there is no such room."""
    return ChatError("not_joined", "join the room first")


def no_longer_admitted() -> ChatError:
    """Somebody was put out of a room while on the way in; it looks as if there were none."""
    return ChatError("forbidden", "no such room, or a wrong password")


class Principal(Protocol):
    """Somebody who asks: a client, or whoever a request of REST is from."""

    @property
    def username(self) -> str | None:
        """The name; None for somebody without one."""
        ...

    @property
    def display_name(self) -> str:
        """The name, or what stands for one."""
        ...


class Subject(Protocol):
    """What an action is about (`gateway/api/targets.py`)."""

    @property
    def room(self) -> Room | None:
        """The room or chat, if there is one."""
        ...

    @property
    def inside(self) -> bool:
        """Whether the asking connection is in it."""
        ...

    @property
    def about(self) -> tuple[str, ...]:
        """The users it is about."""
        ...

    @property
    def unseen(self) -> Callable[[], ChatError]:
        """Makes what is said of it to those who may not know of it."""
        ...


class Authorization:
    """Judges by rules, and says no in the words of the protocol."""

    def __init__(self, auth_mode: Literal["open", "jwt"]) -> None:
        self._verified = auth_mode == "jwt"

    def judge(self, rule: Rule, asker: Principal, subject: Subject) -> Verdict:
        """Whether somebody may do something, by a rule."""
        name, user = asker.display_name, asker.username
        return rule(
            AccessRequest(user, name, subject.room, subject.inside, subject.about, self._verified)
        )

    @staticmethod
    def refusal(rule: Rule, verdict: Verdict, subject: Subject) -> ChatError:
        """What somebody is told who may not: `forbidden`, or as if there were no such thing."""
        if verdict is Verdict.UNSEEN:
            return subject.unseen()
        return ChatError("forbidden", SENTENCES.get(rule, "that is not allowed"))
