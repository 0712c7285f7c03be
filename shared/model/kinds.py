"""What each kind of event of a room's log says of itself (`log_events.py` has the kinds)."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Self

import msgspec

from shared.model.changes import SEQ, Change, StandingChange

UserName = Annotated[str, msgspec.Meta(title="user")]
"""A user's name. Clients are told it as they wrote it: a decimal integer is one again."""

WHERE: Final = "where"
"""In what clients are told: the room by name (`room`), or the direct chat by id (`chatId`)."""

LOCATION: Final = (WHERE, "seq", "prev")
"""Where an event stands."""


class StoredAs(msgspec.Struct, frozen=True):
    """The row of a kind in SQL's table `events`, beside its place; both ways.

    Attributes:
        kinds: what the column `kind` may be, and which values of fields each stands for.
        columns: which field is kept in which column: `sender` (who did it), `content`,
            `client_msg_id`, `target_id`, `target_seq` or `target_user`. A field that is neither
            here nor in `kinds` is not stored, and must have a default.
    """

    kinds: Mapping[str, Mapping[str, object]]
    columns: Mapping[str, str]


class AnnouncedAs(msgspec.Struct, frozen=True):
    """How clients are told of a kind.

    Attributes:
        event: its name.
        payload: what its data has, in this order: WHERE, `seq`, `prev`, and fields of the kind,
            which go out in camel case.
        note: a line for people, which follows as a `notification`; empty for none.
    """

    event: str
    payload: tuple[str, ...]
    note: str = ""


SKIPPED: Final = AnnouncedAs("skipped", LOCATION)
"""Something happened that a client need not know or this build does not: only its place is told."""


class LogEvent(msgspec.Struct, frozen=True, array_like=True):
    """An event of a room's log. The order of a kind's fields, behind its tag, is the format.

    Attributes:
        stored: its row in SQL; None for a kind that leaves none.
        told: how clients are told of it.
    """

    stored: ClassVar[StoredAs | None] = None
    announced_as: ClassVar[AnnouncedAs] = SKIPPED

    def changes(self) -> Sequence[Change]:
        """What is different in its room from here on, beside that it happened."""
        return ()

    @property
    def removed_user(self) -> str | None:
        """The user whose memberships it ends, if it ends any."""
        for change in self.changes():
            if isinstance(change, StandingChange) and change.fields.get("kicked") is SEQ:
                return change.user
        return None

    def row(self) -> dict[str, Any] | None:
        """Its columns in SQL, `kind` among them; None for a kind that leaves no row."""
        if self.stored is None:
            return None
        for kind, fixed in self.stored.kinds.items():
            if all(getattr(self, name) == value for name, value in fixed.items()):
                columns = self.stored.columns.items()
                return {"kind": kind, **{column: getattr(self, name) for column, name in columns}}
        raise AssertionError(f"no kind of row stands for {self}")

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """The event of a row of one of its kinds."""
        if cls.stored is None:
            raise AssertionError(f"{cls.__name__} leaves no row")
        columns = cls.stored.columns.items()
        fields = {name: "" if row[column] is None else row[column] for column, name in columns}
        return cls(**fields, **cls.stored.kinds[row["kind"]])


@cache
def user_fields(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a kind that are names of users."""
    return frozenset(field.name for field in msgspec.structs.fields(kind) if field.type is UserName)
