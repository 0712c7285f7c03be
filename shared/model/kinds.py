"""The base class of events of room logs, and how a kind is stored and announced.

`log_events.py` has the kinds.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Self

import msgspec

from shared.model.changes import SEQ, Change, StandingChange

UserName = Annotated[str, msgspec.Meta(title="user")]
"""A user's name. Clients get it as it was sent: a decimal integer comes back as an integer."""

WHERE: Final = "where"
"""A field of payloads: the name of a room (`room`), or the id of a direct chat (`chatId`)."""

LOCATION: Final = (WHERE, "seq", "prev")
"""The fields of a payload that locate an event."""


class StoredAs(msgspec.Struct, frozen=True):
    """The mapping between a kind of event and its row in SQL's table `events`.

    Attributes:
        kinds: the values of the column `kind`, each with the values of fields that it stands for.
        columns: the field that each column stores: `sender` (the user who acted), `content`,
            `client_msg_id`, `target_id`, `target_seq` or `target_user`. A field that is neither
            here nor in `kinds` is not stored, and must have a default.
    """

    kinds: Mapping[str, Mapping[str, object]]
    columns: Mapping[str, str]


class AnnouncedAs(msgspec.Struct, frozen=True):
    """The event that clients get for a kind.

    Attributes:
        event: the name of the event.
        payload: the fields of its data, in order: WHERE, `seq`, `prev`, and fields of the kind,
            which are sent in camel case.
        note: a line for people, which follows as a `notification`; empty for none.
    """

    event: str
    payload: tuple[str, ...]
    note: str = ""


SKIPPED: Final = AnnouncedAs("skipped", LOCATION)
"""The announcement of an event that a client need not know, or that this build does not know.

It has the location only, so that the client sees no gap at this event.
"""


class LogEvent(msgspec.Struct, frozen=True, array_like=True):
    """An event of a room's log. The order of a kind's fields, behind its tag, is the format.

    Attributes:
        stored: the mapping to its row in SQL; None for a kind without a row.
        announced_as: the event that clients get.
    """

    stored: ClassVar[StoredAs | None] = None
    announced_as: ClassVar[AnnouncedAs] = SKIPPED

    def changes(self) -> Sequence[Change]:
        """The changes that the event makes to its room."""
        return ()

    @property
    def removed_user(self) -> str | None:
        """The user whose memberships the event ends; None if it ends none."""
        for change in self.changes():
            if isinstance(change, StandingChange) and change.fields.get("kicked") is SEQ:
                return change.user
        return None

    def row(self) -> dict[str, Any] | None:
        """The event's columns in SQL, `kind` among them; None for a kind without a row."""
        if self.stored is None:
            return None
        for kind, fixed in self.stored.kinds.items():
            if all(getattr(self, name) == value for name, value in fixed.items()):
                columns = self.stored.columns.items()
                return {"kind": kind, **{column: getattr(self, name) for column, name in columns}}
        raise AssertionError(f"no kind of row stands for {self}")

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """Make the event from a row whose `kind` is one of its own."""
        if cls.stored is None:
            raise AssertionError(f"{cls.__name__} leaves no row")
        columns = cls.stored.columns.items()
        fields = {name: "" if row[column] is None else row[column] for column, name in columns}
        return cls(**fields, **cls.stored.kinds[row["kind"]])


@cache
def user_fields(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a kind that are names of users."""
    return frozenset(field.name for field in msgspec.structs.fields(kind) if field.type is UserName)
