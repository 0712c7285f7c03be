"""A page of history while it is put together from parts of the log and of SQL. Without I/O."""

from shared.broker.rooms.answers import MessagePart
from shared.broker.rooms.logs import Direction
from shared.model.events import Event
from shared.model.timeline import Changes, Message, Move, fold
from shared.protocol.limits import MAX_PAGE_CHARACTERS
from shared.storage.pages import StoredPage


class PageDraft:
    """The parts that were read for a page so far.

    Attributes:
        left: messages that are not deleted and that the page still lacks.
        deleted: of so many messages that come next, deleted ones belong to the page.
        at: the seq up to which all was read; the page goes on above it, or below it.
        is_end: True if there is no message that is not deleted beyond `at`.
        floor: messages up to this seq are deleted.
    """

    def __init__(self, limit: int, at: int) -> None:
        self.left = self.deleted = limit
        self.at = at
        self.is_end = False
        self.floor = 0
        self._stored: list[Message] = []
        self._events: list[Event] = []
        self._gone: set[int] = set()
        self._moves: tuple[Move, ...] = ()

    @property
    def is_done(self) -> bool:
        """True if the page is full, or nothing is left for it."""
        return self.is_end or self.left == 0

    def add_part(self, part: MessagePart) -> None:
        """Take the messages of a part of the log, which goes on where the page is."""
        self._events += part.events
        self._gone |= part.changes.gone
        self._moves = self._moves or part.changes.moves
        self.left -= sum(event.seq not in part.changes.gone for event in part.events)
        self.deleted = max(0, self.deleted - len(part.events))
        self.at = part.last or self.at

    def add_stored(self, page: StoredPage, gone: frozenset[int]) -> None:
        """Take messages of SQL, which go on where the page is; those in `gone` are deleted."""
        self._stored += page.items
        self._gone |= gone
        self.left -= sum(not item.deleted and item.seq not in gone for item in page.items)
        self.deleted = max(0, self.deleted - len(page.items))
        self.at = page.items[-1].seq if page.items else self.at

    def finish(self, direction: Direction) -> tuple[list[Message], int | None]:
        """Return the messages, oldest first, and the seq from which the following page goes on.

        Messages that would make the page longer than `MAX_PAGE_CHARACTERS` are left to that one.
        """
        changes = Changes(frozenset(self._gone), self._moves)
        found = fold(self._stored, self._events, self.floor, changes)
        if direction == "backward":
            found.reverse()
        items = _limit_characters(found)
        following = None if self.is_end else self.at
        if len(items) < len(found):
            following = items[-1].seq
        return (items[::-1] if direction == "backward" else items), following


def _limit_characters(items: list[Message]) -> list[Message]:
    """Return the first messages that have `MAX_PAGE_CHARACTERS` together, but at least one."""
    characters = 0
    for number, item in enumerate(items):
        characters += len(item.content)
        if number and characters > MAX_PAGE_CHARACTERS:
            return items[:number]
    return items
