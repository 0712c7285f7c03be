"""Authorization rules, and the class that applies them.

The table of actions (`gateway/api/actions.py`) names one rule for each action.

A thing that a user may not see must look like a thing that does not exist. So a rule refuses in
two ways: `FORBIDDEN` to users who may know of the thing, `UNSEEN` to all others. A room without a
password is in everyone's list, so users who are banned from it are told that.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, Literal, Protocol

import msgspec

from gateway.access.roles import Role, is_openly_banned, role_of
from shared.errors import ChatError
from shared.model.rooms import Room


class Verdict(Enum):
    """The answer of a rule."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    UNSEEN = "unseen"


class AccessRequest(msgspec.Struct, frozen=True, gc=False):
    """An action that a principal asks for, as rules see it.

    Attributes:
        user: the principal's name; None for a principal without a name.
        name: the principal's name, or `User <sid>` where it has none.
        room: the room or chat that the action is about; None where there is none.
        inside: True if the asking connection is in the room.
        about: the users that the action is about: the owner of the chats, the sender of the
            message, the user to be kicked.
        verified: True if names are proven (`AUTH_MODE=jwt`). Otherwise every member of a room may
            delete messages as its moderators may, and a name does not prove who owns a room.
    """

    user: str | None
    name: str
    room: Room | None
    inside: bool
    about: tuple[str, ...]
    verified: bool


# The rules. Each docstring names the users that the rule allows; the protocol reference is
# generated from them.


def anyone(_asked: AccessRequest) -> Verdict:
    """Anyone."""
    return Verdict.ALLOWED


def own_user(asked: AccessRequest) -> Verdict:
    """The user it is about. With `AUTH_MODE=open`, also a connection without a name."""
    nameless = asked.user is None and not asked.verified
    return Verdict.ALLOWED if nameless or asked.user in asked.about else Verdict.FORBIDDEN


def own_name(asked: AccessRequest) -> Verdict:
    """The user it is about."""
    return Verdict.ALLOWED if asked.name in asked.about else Verdict.FORBIDDEN


def entrant(asked: AccessRequest) -> Verdict:
    """Anyone who is not banned and has the room's password or a grant; a chat's two users."""
    room = asked.room
    if room is None or room.kind == "direct":
        return insider(asked)
    return Verdict.UNSEEN if asked.name in room.standings.banned else Verdict.ALLOWED


def insider(asked: AccessRequest) -> Verdict:
    """Anyone in the room; a chat's two users."""
    room = asked.room
    if room is None:
        return Verdict.UNSEEN
    inside = asked.inside if room.kind == "room" else asked.user in room.users
    return Verdict.ALLOWED if inside else Verdict.UNSEEN


def chat_by_id(asked: AccessRequest) -> Verdict:
    """The chat's two users. With `AUTH_MODE=open`, anyone, as REST then carries no names."""
    if asked.room is not None and asked.user is None and not asked.verified:
        return Verdict.ALLOWED
    return insider(asked)


def clearer(asked: AccessRequest) -> Verdict:
    """The room's owner and moderators. With `AUTH_MODE=open`, anyone in the room."""
    verdict = _insider_or_proven_role(asked)
    if verdict is Verdict.ALLOWED and asked.verified and not _role(asked):
        return Verdict.FORBIDDEN
    return verdict


def deleter(asked: AccessRequest) -> Verdict:
    """The user who sent the message, while in its room; the room's owner and moderators."""
    verdict = insider(asked)
    if verdict is Verdict.ALLOWED and asked.name not in asked.about and not _role(asked):
        return Verdict.FORBIDDEN
    return verdict


def receiver(asked: AccessRequest) -> Verdict:
    """The user who received the message."""
    if asked.room is None or asked.room.kind != "direct":
        return Verdict.UNSEEN
    verdict = insider(asked)
    if verdict is Verdict.ALLOWED and asked.name in asked.about and not asked.room.is_notes:
        return Verdict.FORBIDDEN
    return verdict


def moderator(asked: AccessRequest) -> Verdict:
    """The room's owner; its moderators, where the user is neither owner nor moderator."""
    verdict = _insider_or_proven_role(asked)
    if verdict is Verdict.ALLOWED and asked.room is not None:
        verified = asked.verified
        others = max(role_of(user, asked.room, verified=verified) for user in asked.about)
        return Verdict.ALLOWED if _role(asked) > others else Verdict.FORBIDDEN
    return verdict


def manager(asked: AccessRequest) -> Verdict:
    """The room's owner and moderators."""
    verdict = _insider_or_proven_role(asked)
    return Verdict.FORBIDDEN if verdict is Verdict.ALLOWED and not _role(asked) else verdict


def owner(asked: AccessRequest) -> Verdict:
    """The room's owner, who is the user that created it. The owner cannot be the target."""
    verdict = _insider_or_proven_role(asked)
    if verdict is Verdict.ALLOWED and asked.room is not None:
        allowed = _role(asked) is Role.OWNER and asked.room.creator not in asked.about
        return Verdict.ALLOWED if allowed else Verdict.FORBIDDEN
    return verdict


def _insider_or_proven_role(asked: AccessRequest) -> Verdict:
    """Allow clients in the room, and its owner and moderators by a proven name from anywhere."""
    if asked.verified and _role(asked):
        return Verdict.ALLOWED
    return insider(asked)


def _role(asked: AccessRequest) -> Role:
    return role_of(asked.user, asked.room, verified=asked.verified) if asked.room else Role.STRANGER


Rule = Callable[[AccessRequest], Verdict]
"""A function that judges an access request."""

FORBIDDEN_MESSAGES: Final[Mapping[Rule, str]] = {
    own_user: "you cannot use another user's name",
    own_name: "you cannot use another user's name",
    clearer: "only the owner and moderators of the room may delete the messages of others",
    deleter: "only the sender of a message, or the owner or a moderator of its room, may delete it",
    receiver: "only the receiver of a message may mark it as seen",
    moderator: "only the owner may do this, or a moderator to a user who is neither",
    manager: "only the owner and moderators of the room may see this",
    owner: "only the owner of the room may do this, and not to themselves",
}
"""Error texts by rule, for users who may know of a thing and may not do this to it."""


def not_joined() -> ChatError:
    """Make the error for a connection that is not in the room, or where there is no such room."""
    return ChatError("not_joined", "join the room first")


def not_admitted(room: Room | None, user: str) -> ChatError:
    """Make the error for a user who may not enter a room, or was kicked or banned while joining.

    It is the same as for a room that does not exist, unless the user may know of the ban.
    """
    if room is not None and is_openly_banned(room, user):
        text = "you are banned from this room, and only its owner can lift the ban"
        return ChatError("forbidden", text, reason="banned")
    return ChatError("forbidden", "no such room, or a wrong password")


class Principal(Protocol):
    """A client, or the user of a REST request, who asks for an action."""

    @property
    def username(self) -> str | None:
        """The name; None for a principal without one."""
        ...

    @property
    def display_name(self) -> str:
        """The name, or `User <sid>` for a client without one."""
        ...


class Subject(Protocol):
    """The target of an action, as rules see it (`gateway/api/targets.py`)."""

    @property
    def room(self) -> Room | None:
        """The room or chat, if there is one."""
        ...

    @property
    def inside(self) -> bool:
        """True if the asking connection is in the room."""
        ...

    @property
    def about(self) -> tuple[str, ...]:
        """The users that the action is about."""
        ...

    @property
    def unseen(self) -> Callable[[], ChatError]:
        """Maker of the error for principals who may not know of the target."""
        ...


class Authorization:
    """Applies rules, and turns a refusal into an error of the protocol."""

    def __init__(self, auth_mode: Literal["open", "jwt"]) -> None:
        self._verified = auth_mode == "jwt"

    def judge(self, rule: Rule, asker: Principal, subject: Subject) -> Verdict:
        """Apply a rule to a principal and a target."""
        name, user = asker.display_name, asker.username
        return rule(
            AccessRequest(user, name, subject.room, subject.inside, subject.about, self._verified)
        )

    def role(self, user: str | None, room: Room) -> Role:
        """Return a user's role in a room."""
        return role_of(user, room, verified=self._verified)

    @staticmethod
    def refusal(rule: Rule, verdict: Verdict, asker: Principal, subject: Subject) -> ChatError:
        """Make the error of a refusal: `forbidden`, or the same as for a missing thing."""
        if subject.room is not None and is_openly_banned(subject.room, asker.display_name):
            return not_admitted(subject.room, asker.display_name)
        if verdict is Verdict.UNSEEN:
            return subject.unseen()
        return ChatError("forbidden", FORBIDDEN_MESSAGES.get(rule, "that is not allowed"))
