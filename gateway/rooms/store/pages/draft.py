"""A page of history while it is put together from parts of the log and of SQL. Without I/O."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from shared.broker.rooms.answers import MessagePart
from shared.broker.rooms.logs import Direction
from shared.model.timeline import Changes, Message, Move, fold
from shared.storage.pages import StoredPage

MAX_MESSAGES_READ: Final = 100
"""Messages that are read at a time, from the log or from SQL.

A page may have 1,000, of which a few fill its bytes where they are long. So a page is read in
steps, and no step is begun once its bytes are full.
"""

WriteMessage = Callable[[Message], msgspec.Raw | None]
"""Encodes a message for the page; None if its bytes are full."""

_Item = TypeVar("_Item")

_NOT_ENCODED: Final = msgspec.Raw(b"")


class WrittenMessage(NamedTuple):
    """A message, and its item in the page as the client gets it; empty for a page for nobody."""

    message: Message
    item: msgspec.Raw


def keep(_message: Message) -> msgspec.Raw:
    """Encode nothing: the page is not for a client, and ends with its count only."""
    return _NOT_ENCODED


class PageDraft:
    """The parts that were read for a page so far.

    Attributes:
        left: messages that are not deleted and that the page still lacks.
        deleted: of so many messages that come next, deleted ones belong to the page.
        at: the seq up to which all was read; the page goes on above it, or below it.
        is_end: True if there is no message that is not deleted beyond `at`.
        is_full: True if the bytes of the page are full: a message beyond `at` did not fit.
        floor: messages up to this seq are deleted.
    """

    def __init__(self, limit: int, at: int, direction: Direction, write: WriteMessage) -> None:
        """Begin a page.

        Args:
            limit: number of messages that are not deleted.
            at: the seq that the page begins above, or below.
            direction: `forward` from the lowest seq, `backward` from the highest.
            write: encodes each message.
        """
        self.left = self.deleted = limit
        self.at = at
        self.is_end = False
        self.is_full = False
        self.floor = 0
        self._direction = direction
        self._write = write
        self._written: list[WrittenMessage] = []
        self._moves: tuple[Move, ...] = ()

    @property
    def is_done(self) -> bool:
        """True if the page is full, or nothing is left for it."""
        return self.is_end or self.is_full or self.left == 0

    @property
    def step(self) -> int:
        """Messages that are not deleted to read next."""
        return min(self.left, MAX_MESSAGES_READ)

    @property
    def deleted_step(self) -> int:
        """Of so many messages that are read next, deleted ones belong to the page."""
        return min(self.deleted, MAX_MESSAGES_READ)

    def add_part(self, part: MessagePart) -> None:
        """Take the messages of a part of the log, which goes on where the page is."""
        self._moves = self._moves or part.changes.moves
        changes = Changes(part.changes.gone, self._moves)
        self._add(fold((), part.events, self.floor, changes), len(part.events), part.last)

    def add_stored(self, page: StoredPage, gone: frozenset[int]) -> None:
        """Take messages of SQL, which go on where the page is; those in `gone` are deleted."""
        changes = Changes(gone, self._moves)
        last = page.items[-1].seq if page.items else 0
        self._add(fold(page.items, (), self.floor, changes), len(page.items), last)

    def finish(self) -> tuple[list[WrittenMessage], int | None]:
        """Return the messages, oldest first, and the seq from which the following page goes on."""
        # Messages may have been deleted since they were read.
        written = [each for each in self._written if each.message.seq > self.floor]
        following = None if self.is_end and not self.is_full else self.at
        return self._in_direction(written), following

    def _add(self, messages: Sequence[Message], count: int, last: int) -> None:
        """Write messages, oldest first, of so many that were read up to the seq `last`."""
        for message in self._in_direction(messages):
            item = self._write(message)
            if item is None:
                self.is_full = True
                return
            self._written.append(WrittenMessage(message, item))
            self.at = message.seq
            self.left -= not message.deleted
        self.deleted = max(0, self.deleted - count)
        self.at = last or self.at

    def _in_direction(self, items: Sequence[_Item]) -> list[_Item]:
        """Turn items that are oldest first into those in the page's direction, or back."""
        return list(items if self._direction == "forward" else reversed(items))
