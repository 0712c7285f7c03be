"""Checks of what clients showed: histories, live views, seen marks."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tests.faults import checker
from tests.faults.checker import Case, Check, Violation
from tests.faults.evidence import Row
from tests.faults.history import Delivery, Operation, SeenTold


class View:
    """A client's view of a place, from the events that it received, in order."""

    def __init__(self) -> None:
        self.messages: dict[int, tuple[int, str]] = {}
        self.problems: list[tuple[str, str]] = []
        self._last = 0
        self._gone: set[str] = set()
        self._floor = 0

    def take(self, told: Delivery) -> None:
        """Apply an event."""
        if told.kind == "reset":
            # A deletion may be lost too: what it hid is there again.
            self.messages.clear()
            self._gone.clear()
            self._floor, self._last = 0, told.seq
            return
        if told.source == "again":
            self._last = max(self._last, told.seq)
        elif told.source == "live":
            if told.seq <= self._last:
                kind = "twice" if told.seq in self.messages else "order"
                self.problems.append((kind, f"{told.kind} {told.seq} came after {self._last}"))
            self._last = max(self._last, told.seq)
        if told.kind == "message":
            if str(told.id) in self._gone or told.seq <= self._floor:
                if told.source == "live":
                    self.problems.append(("undeleted", f"{told.key} came after its deletion"))
            else:
                self.messages[told.seq] = (told.id, told.key)
        elif told.kind == "deleted":
            self._gone.add(told.key)
            self.messages = {s: m for s, m in self.messages.items() if str(m[0]) != told.key}
        else:
            self._floor = told.seq
            self.messages = {s: m for s, m in self.messages.items() if s > told.seq}


def views(case: Case) -> Iterator[Violation]:
    """Each client's view of a room, once quiet, is what SQL has; nothing came twice or late."""
    seen: defaultdict[tuple[str, str], View] = defaultdict(View)
    for delivery in case.history.deliveries:
        seen[delivery.user, delivery.place].take(delivery)
    truth = _truth(case)
    for place, members in case.evidence.members.items():
        for user in members:
            view = seen[user, place]
            for kind, text in view.problems:
                yield Violation(kind, f"for {user} in {place}: {text}")
            yield from _compare(f"{user}'s view of {place}", view.messages, truth[place])


def pages(case: Case) -> Iterator[Violation]:
    """The whole history, as every member reads it in the end, is what SQL has."""
    truth = _truth(case)
    for (user, place), items in case.evidence.pages.items():
        shown = {item.seq: (item.id, item.key) for item in items if not item.deleted}
        yield from _compare(f"{user}'s history of {place}", shown, truth[place])
        if any(one.seq >= other.seq for one, other in pairwise(items)):
            yield Violation("order", f"{user}'s history of {place} is out of order")


def fresh(case: Case) -> Iterator[Violation]:
    """A history that was read after the answer to a send contains its message."""
    by_place: defaultdict[str, list[tuple[float, Row]]] = defaultdict(list)
    for send in case.accepted:
        row = case.rows.get((send.place, send.seq))
        if row is not None and row.id == send.id:
            by_place[send.place].append((send.ended, row))
    for read in _reads(case):
        shown = {item.seq for item in read.items}
        lowest, highest = read.covers
        for answered, row in by_place[read.place]:
            if answered >= read.invoked:
                continue
            if (
                lowest <= row.seq <= highest
                and row.seq not in shown
                and not _may_be_gone(case, row, read)
            ):
                text = f"{row.key} at {row.seq} in {row.place} was answered and not in a history"
                yield Violation("stale", text)


def deleted(case: Case) -> Iterator[Violation]:
    """A deleted message never comes back."""
    stored = {row.target for row in case.evidence.rows if row.kind == "delete"}
    for row in case.evidence.rows:
        if row.kind == "message" and row.id in stored and not row.deleted:
            yield Violation("undeleted", f"{row.key} was deleted and is whole in SQL")
    for read in _reads(case):
        for item in read.items:
            deletion = case.deletions.get(str(item.id))
            if item.deleted or deletion is None or item.id not in stored:
                continue
            if deletion.outcome == "ok" and deletion.ended < read.invoked:
                yield Violation("undeleted", f"{item.key} was deleted and is in a later history")
    last = max((s.over for s in case.evidence.strikes if s.destroys), default=0.0)
    for key, deletion in case.deletions.items():
        done = deletion.outcome == "ok" and int(key) not in stored
        if done and deletion.invoked > last and not _cleared(case, int(key)):
            yield Violation("lost", f"the deletion of {key} was accepted and is not in SQL")


def seen_marks(case: Case) -> Iterator[Violation]:
    """Seen marks never go back untold, and end at the highest."""
    told: dict[tuple[str, str, str], SeenTold] = {}
    for word in case.history.seen:
        where = (word.observer, word.user, word.place)
        before = told.get(where, word)
        if word.seq < before.seq and not case.may_go_back(before, word):
            text = f"{word.user} in {word.place}, as {word.observer} hears it"
            yield Violation("seen", f"{text}: {before.seq}, then {word.seq} at {word.at:.2f}")
            told[where] = word._replace(seq=before.seq)
        else:
            told[where] = word
    destroyed = [strike for strike in case.evidence.strikes if strike.destroys]
    over = max((strike.over for strike in destroyed), default=0.0)
    places = _seqs(case)
    for mark in case.history.operations:
        if mark.kind != "seen" or mark.outcome != "ok":
            continue
        stored = case.evidence.cursors.get((mark.place, mark.user), 0)
        # A client may mark what a fault destroyed: then the mark is at the last before it.
        known = places[mark.place]
        wanted = known[at - 1] if (at := bisect_right(known, mark.seq)) else 0
        if over < mark.invoked and mark.ended < _quiet(case) and stored < wanted:
            text = f"{mark.user} in {mark.place}: {stored} in SQL"
            yield Violation("seen", f"{text}, {mark.seq} was accepted")


def _seqs(case: Case) -> defaultdict[str, list[int]]:
    """The seqs that SQL has of each place, in order."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in case.evidence.rows:
        found[row.place].append(row.seq)
    for seqs in found.values():
        seqs.sort()
    return found


def _quiet(case: Case) -> float:
    """The time after which the last fault has healed; earlier messages are stored since."""
    return max((strike.over for strike in case.evidence.strikes), default=0.0)


def _truth(case: Case) -> defaultdict[str, dict[int, tuple[int, str]]]:
    found: defaultdict[str, dict[int, tuple[int, str]]] = defaultdict(dict)
    for row in case.evidence.rows:
        if row.kind == "message" and not row.deleted:
            found[row.place][row.seq] = (row.id, row.key)
    return found


def _compare(
    what: str, shown: dict[int, tuple[int, str]], truth: dict[int, tuple[int, str]]
) -> Iterator[Violation]:
    if missing := sorted(truth.keys() - shown.keys()):
        yield Violation("missing", f"{what} lacks {len(missing)}, the first {truth[missing[0]]}")
    if extra := sorted(shown.keys() - truth.keys()):
        yield Violation("extra", f"{what} has {len(extra)} too many, the first {shown[extra[0]]}")
    if wrong := [seq for seq in truth.keys() & shown.keys() if truth[seq] != shown[seq]]:
        yield Violation("reused", f"{what} has others at {len(wrong)} places")


def _reads(case: Case) -> Iterator[Operation]:
    for operation in case.history.operations:
        # A partial one says itself that it is out of date.
        if operation.kind == "history" and operation.outcome == "ok" and not operation.partial:
            yield operation


def _may_be_gone(case: Case, row: Row, read: Operation) -> bool:
    """True if a client began to delete a message before a history was read."""
    deletion = case.deletions.get(str(row.id))
    if deletion is not None and deletion.invoked < read.ended:
        return True
    return any(clearing.invoked < read.ended for clearing in case.clearings.get(row.place, []))


def _cleared(case: Case, message_id: int) -> bool:
    """True if a message is deleted in SQL, alone or by a clearing."""
    return any(row.id == message_id and row.deleted for row in case.evidence.rows)


CHECKS: Final[tuple[Check, ...]] = (
    checker.lost,
    checker.lost_in_the_end,
    checker.phantom,
    checker.one_name,
    checker.once,
    checker.order,
    views,
    pages,
    fresh,
    deleted,
    seen_marks,
    checker.refused,
    checker.unhealed,
    checker.found,
)
"""Everything that is promised, and can be seen."""
