"""Who may what in a room: its moderators, those who are banned, and who was kicked when."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from shared.model.changes import StandingChange, at

STANDINGS: Final = ("moderator", "banned", "kicked")
"""What may be remembered of a user, by the names of SQL's columns.

In the broker's record of the room a field is called `<name>:<user>`.
"""


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """What a room remembers of users; whoever is not named is a member like any other.

    Attributes:
        moderators: those whom the owner named.
        banned: those who may not enter.
        kicked: the seq at which somebody was put out last, by user. What opened the room to them
            before that opens it no more.
    """

    moderators: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()
    kicked: dict[str, int] = {}

    @classmethod
    def of(cls, facts: Iterable[tuple[str, str, int]]) -> "Standings":
        """The standings of `facts`, as the method of that name gives them, in any order."""
        found: dict[str, dict[str, int]] = {name: {} for name in STANDINGS}
        for name, user, value in facts:
            if value and name in found:
                found[name][user] = value
        if not any(found.values()):
            return NO_STANDINGS
        moderators, banned, kicked = found.values()
        return cls(moderators=frozenset(moderators), banned=frozenset(banned), kicked=kicked)

    def facts(self) -> Iterator[tuple[str, str, int]]:
        """What is remembered: one of STANDINGS, the user, and 1 or, of a kick, its seq."""
        for user in self.moderators:
            yield "moderator", user, 1
        for user in self.banned:
            yield "banned", user, 1
        for user, seq in self.kicked.items():
            yield "kicked", user, seq

    def __len__(self) -> int:
        return len(self.moderators) + len(self.banned | self.kicked.keys())

    def names(self, user: str) -> bool:
        """Whether something is remembered of a user."""
        return user in self.moderators or user in self.banned or user in self.kicked

    def after(self, change: StandingChange, seq: int) -> "Standings":
        """What is remembered once the event at the place `seq` of the room has changed it."""
        user, fields = change.user, at(change.fields, seq)
        return Standings(
            moderators=_updated(self.moderators, user, fields.get("moderator")),
            banned=_updated(self.banned, user, fields.get("banned")),
            kicked={**self.kicked, user: int(fields["kicked"])}
            if "kicked" in fields
            else self.kicked,
        )


NO_STANDINGS: Final = Standings()


def _updated(users: frozenset[str], user: str, present: object) -> frozenset[str]:
    """Users with one more or one less; as they are where nothing is said (None)."""
    if present is None:
        return users
    return users | {user} if present else users - {user}
