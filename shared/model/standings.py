"""Who may what in a room: its moderators, those who are banned, and who was kicked when."""

from typing import Final

import msgspec
from msgspec.structs import replace

from shared.model.events import Banned, Body, Kicked, ModeratorChanged, Unbanned

MOST_STANDINGS: Final = 5000
"""Users of whom a room remembers something."""


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

    def __len__(self) -> int:
        return len(self.moderators) + len(self.banned | self.kicked.keys())

    def names(self, user: str) -> bool:
        """Whether something is remembered of a user."""
        return user in self.moderators or user in self.banned or user in self.kicked

    def after(self, body: Body, seq: int) -> "Standings":
        """What is remembered once an event has happened, at the place `seq` of the room."""
        match body:
            case Kicked(user):
                return replace(self, kicked={**self.kicked, user: seq})
            case Banned(user):
                return Standings(
                    moderators=self.moderators - {user},
                    banned=self.banned | {user},
                    kicked={**self.kicked, user: seq},
                )
            case Unbanned(user):
                return replace(self, banned=self.banned - {user})
            case ModeratorChanged(user, _, moderator=True):
                return replace(self, moderators=self.moderators | {user})
            case ModeratorChanged(user):
                return replace(self, moderators=self.moderators - {user})
            case _:
                return self


NO_STANDINGS: Final = Standings()
