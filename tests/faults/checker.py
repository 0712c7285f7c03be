"""The checker: pure functions from the evidence of a run to the promises it broke.

What a fault may have destroyed is excused: an event is `destroyable` when it was sent before the
cause of such a fault was gone and SQL did not have it when the fault began. Nothing else is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import islice, zip_longest
from typing import Final, NamedTuple

from shared.broker.partitions.fence import FENCE_GAP
from shared.model.ids import counter_of, partition_of_id
from tests.faults.evidence import Evidence, Row
from tests.faults.history import Operation, SeenTold

MAX_TOLD: Final = 5
"""Violations of one kind that are told in words; the others are counted."""


class Violation(NamedTuple):
    """A promise that was not kept."""

    kind: str
    text: str


class Case:
    """The evidence of a run, with lookups that several checks need."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.history = evidence.history
        self.rows = {(row.place, row.seq): row for row in evidence.rows}

    @cached_property
    def messages(self) -> dict[str, list[Row]]:
        """Messages in SQL, by clientMsgId."""
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.evidence.rows:
            if row.kind == "message":
                found[row.key].append(row)
        return dict(found)

    @cached_property
    def sends(self) -> list[Operation]:
        """Attempts to send."""
        return [operation for operation in self.history.operations if operation.kind == "send"]

    @cached_property
    def accepted(self) -> list[Operation]:
        """Attempts that were answered with success."""
        return [operation for operation in self.sends if operation.outcome == "ok"]

    @cached_property
    def invoked(self) -> dict[str, Operation]:
        """The first attempt for each clientMsgId."""
        found: dict[str, Operation] = {}
        for operation in self.sends:
            found.setdefault(operation.key, operation)
        return found

    @cached_property
    def deletions(self) -> dict[str, Operation]:
        """The first attempt to delete each message, by its id."""
        found: dict[str, Operation] = {}
        for operation in self.history.operations:
            if operation.kind == "delete":
                found.setdefault(operation.key, operation)
        return found

    @cached_property
    def clearings(self) -> dict[str, list[Operation]]:
        """Attempts to clear each place."""
        found: defaultdict[str, list[Operation]] = defaultdict(list)
        for operation in self.history.operations:
            if operation.kind == "clear":
                found[operation.place].append(operation)
        return found

    def destroyable(self, event_id: int, key: str, durable_at: float = float("inf")) -> bool:
        """True if a fault may have destroyed a message.

        What is sent later has a number far above, as the fence opens each partition beyond all
        numbers that may have been given.

        Args:
            event_id: the message's id.
            key: its clientMsgId.
            durable_at: when its sender was told that it is durable.
        """
        number, counter = partition_of_id(event_id), counter_of(event_id)
        sent = self.invoked[key].invoked if key in self.invoked else float("inf")
        return any(
            strike.destroys
            and sent <= strike.over
            and durable_at > strike.begun
            and 0 < counter - positions.get(number, 0) < FENCE_GAP
            for strike in self.evidence.strikes
            for positions in strike.losses
        )

    def may_go_back(self, before: SeenTold, word: SeenTold) -> bool:
        """True if a client may get a seen mark below the one it got before.

        A fault may have destroyed that one, and the client learnt so between the two: it began
        anew or was told to resume, and that before the next fault, which waits until all is well.
        When it heard the first one does not matter, but that it was asked for before the cause
        of the fault was gone, and that SQL did not have it.
        """
        strikes = [strike for strike in self.evidence.strikes if not strike.left_out]
        asked = self._asked(before)
        doubts = self._doubts[word.observer, word.place]
        for strike, following in zip_longest(strikes, strikes[1:]):
            lost = strike.destroys and any(
                before.seq > cursors.get((before.place, before.user), 0) for cursors in strike.seen
            )
            since = max(before.at, strike.begun)
            until = min(word.at, following.begun if following else word.at)
            if lost and asked <= strike.over and any(since < at <= until for at in doubts):
                return True
        return False

    def _asked(self, mark: SeenTold) -> float:
        """The time at which a client first asked to move a cursor to this seq or beyond."""
        return min(
            (
                asked.invoked
                for asked in self.history.operations
                if asked.kind == "seen"
                and (asked.user, asked.place) == (mark.user, mark.place)
                and asked.seq >= mark.seq
            ),
            default=float("inf"),
        )

    @cached_property
    def _doubts(self) -> defaultdict[tuple[str, str], list[float]]:
        """The times at which each client learnt that its events of a place may be lost."""
        found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for doubt in self.history.doubts:
            found[doubt.user, doubt.place].append(doubt.at)
        return found

    @cached_property
    def durable_at(self) -> dict[tuple[str, int], float]:
        """The time at which a message, by clientMsgId and seq, was first reported as durable."""
        found: dict[tuple[str, int], float] = {}
        for word in self.history.words:
            found.setdefault((word.key, word.seq), word.at)
        return found


def lost(case: Case) -> Iterator[Violation]:
    """Every accepted message is in SQL, with its seq and id."""
    for send in case.accepted:
        row = case.rows.get((send.place, send.seq))
        if row is not None and (row.id, row.key) == (send.id, send.key):
            continue
        durable_at = case.durable_at.get((send.key, send.seq), float("inf"))
        if row is not None and row.kind == "void" and row.id == send.id:
            yield Violation("lost", f"{_told(send)} is void in SQL")
        elif not case.destroyable(send.id, send.key, durable_at):
            what = "durable and " if durable_at < float("inf") else ""
            yield Violation("lost", f"{_told(send)} was {what}accepted and is not in SQL")


def lost_in_the_end(case: Case) -> Iterator[Violation]:
    """A client that keeps a send until it is durable loses none, whatever was destroyed."""
    for key in {send.key for send in case.accepted}:
        if key not in case.messages:
            yield Violation("lost", f"{key} was accepted, and sent again, and is not in SQL at all")


def phantom(case: Case) -> Iterator[Violation]:
    """Nothing is in SQL, in a history or on a screen that nobody sent."""
    for key, rows in case.messages.items():
        send = case.invoked.get(key)
        for row in rows:
            if send is None or (send.place, send.user) != (row.place, row.sender):
                yield Violation("phantom", f"{row} was sent by nobody")
            elif not row.deleted and row.content.partition(" ")[0] != key:
                yield Violation("phantom", f"{row} has another's content")
    for place, seq, event_id, key in _shown(case):
        if key not in case.invoked:
            yield Violation("phantom", f"{key} at {seq} in {place} was shown and sent by nobody")
        elif (place, seq) not in case.rows and not case.destroyable(event_id, key):
            yield Violation("phantom", f"{key} at {seq} in {place} was shown and is not in SQL")


def one_name(case: Case) -> Iterator[Violation]:
    """A seq of a room is the same message everywhere."""
    named: dict[tuple[str, int], tuple[int, str]] = {
        where: (row.id, row.key) for where, row in case.rows.items() if row.kind == "message"
    }
    replies = ((send.place, send.seq, send.id, send.key) for send in case.accepted)
    for place, seq, event_id, key in (*replies, *_shown(case)):
        known = named.setdefault((place, seq), (event_id, key))
        if known != (event_id, key):
            yield Violation("reused", f"{seq} in {place} is {known} and {(event_id, key)}")


def once(case: Case) -> Iterator[Violation]:
    """The same clientMsgId is one message: one row, one seq."""
    for key, rows in case.messages.items():
        if len(rows) > 1:
            yield Violation("twice", f"{key} is in SQL {len(rows)} times")
    places: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for send in case.accepted:
        places[send.key].add((send.seq, send.id))
    for _, seq, event_id, key in _shown(case):
        places[key].add((seq, event_id))
    for key, found in places.items():
        if len(found) == 1:
            continue
        stored = {(row.seq, row.id) for row in case.messages.get(key, [])}
        left = [seq for seq, event_id in found - stored if not case.destroyable(event_id, key)]
        if left:
            yield Violation("twice", f"{key} stands at {sorted(found)}; SQL has {sorted(stored)}")


def order(case: Case) -> Iterator[Violation]:
    """A message that was answered before another was sent has the lower seq in their room."""
    answered: dict[tuple[str, int], float] = {}
    for send in case.accepted:
        where = (send.place, send.seq)
        answered[where] = min(send.ended, answered.get(where, float("inf")))
    by_place: defaultdict[str, list[Row]] = defaultdict(list)
    for rows in case.messages.values():
        for row in rows:
            by_place[row.place].append(row)
    for place, found in by_place.items():
        earliest, first = float("inf"), 0
        for row in sorted(found, key=lambda row: -row.seq):
            sent = case.invoked.get(row.key)
            if sent is not None and earliest < sent.invoked:
                text = f"{row.key} at {row.seq} in {place} was sent after {first} was answered"
                yield Violation("order", text)
            if (at := answered.get((place, row.seq), float("inf"))) < earliest:
                earliest, first = at, row.seq


def refused(case: Case) -> Iterator[Violation]:
    """No valid request gets an error that is not retryable."""
    for operation in case.history.operations:
        if operation.error.startswith("for good"):
            text = f"{operation.kind} of {operation.user} in {operation.place}: {operation.error}"
            yield Violation("refused", text)


def unhealed(case: Case) -> Iterator[Violation]:
    """After each fault everything works again."""
    for number, strike in enumerate(case.evidence.strikes, 1):
        missing = [
            m for m in ("back", "accepted", "delivered", "durable") if m not in strike.healed
        ]
        if missing and not strike.left_out:
            text = f"fault {number}, {strike.kind}: not {', not '.join(missing)}: {strike.missing}"
            yield Violation("unhealed", text)


def found(case: Case) -> Iterator[Violation]:
    """The findings of the run itself: things that it waited for in vain."""
    for finding in case.evidence.findings:
        yield Violation(*finding)


def _shown(case: Case) -> Iterator[tuple[str, int, int, str]]:
    """Every message that any client was shown: (place, seq, id, clientMsgId)."""
    for delivery in case.history.deliveries:
        if delivery.kind == "message":
            yield delivery.place, delivery.seq, delivery.id, delivery.key
    for read in case.history.operations:
        for item in read.items:
            if not item.deleted:
                yield read.place, item.seq, item.id, item.key


def _told(send: Operation) -> str:
    return f"{send.key} at {send.seq} in {send.place} ({send.ended:.2f})"


Check = Callable[[Case], Iterable[Violation]]


def check(evidence: Evidence, checks: Iterable[Check]) -> list[Violation]:
    """Run checks; return all violations."""
    case = Case(evidence)
    return [violation for one in checks for violation in one(case)]


def in_words(violations: list[Violation]) -> Iterator[str]:
    """The first violations of each kind in words, and how many more there are."""
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for violation in violations:
        by_kind[violation.kind].append(violation.text)
    for kind, texts in sorted(by_kind.items()):
        yield from (f"{kind}: {text}" for text in islice(texts, MAX_TOLD))
        if len(texts) > MAX_TOLD:
            yield f"{kind}: and {len(texts) - MAX_TOLD} more"
