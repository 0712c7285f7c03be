"""Made-up runs: two users in one room, told by what happened."""

from typing import Any, Literal

from shared.model.ids import make_id
from tests.faults.checker import Violation, check
from tests.faults.evidence import Evidence, Finding, Row
from tests.faults.history import Delivery, Doubt, History, Item, Operation, SeenTold, Word
from tests.faults.strike import Strike
from tests.faults.views import CHECKS

ROOM = "general"
USERS = ["ann", "bob"]
PARTITION = 3


class Story:
    """A run in which ann speaks and both listen; whatever goes wrong is told step by step."""

    def __init__(self) -> None:
        self.at = 0.0
        self.evidence = Evidence(
            begun=0.0,
            ended=1000.0,
            history=History(),
            strikes=[],
            rows=[],
            cursors={},
            members={ROOM: USERS},
        )

    @property
    def history(self) -> History:
        """What clients saw."""
        return self.evidence.history

    def tick(self) -> float:
        """One second later."""
        self.at += 1
        return self.at

    def says(self, n: int, *, seq: int | None = None, number: int | None = None) -> None:
        """Ann sends message `n` and all goes well: accepted, durable, stored, shown to both."""
        self.accepted(n, seq=seq, number=number)
        self.durable(n, seq=seq)
        self.stored(n, seq=seq, number=number)
        for user in USERS:
            self.shown(user, n, seq=seq, number=number)

    def accepted(self, n: int, *, seq: int | None = None, number: int | None = None) -> None:
        """A send is answered well."""
        self.operation("send", key=key(n), seq=seq or n, id=event_id(number or n))

    def durable(self, n: int, *, seq: int | None = None) -> None:
        """Ann hears the second word."""
        self.history.words.append(Word(self.tick(), "ann", ROOM, key(n), seq or n))

    def stored(self, n: int, *, seq: int | None = None, **other: Any) -> None:  # noqa: ANN401 - fields of a row
        """SQL has it."""
        number = other.pop("number", None) or n
        place = seq or n
        row = Row(
            *(ROOM, place, place - 1, event_id(number), "message", "ann", key(n)),
            *(f"{key(n)} hello", False, 0),
        )
        self.evidence.rows.append(row._replace(**other))

    def shown(
        self,
        user: str,
        n: int,
        *,
        seq: int | None = None,
        number: int | None = None,
        source: Literal["live", "history"] = "live",
    ) -> None:
        """A client is shown it."""
        about = (seq or n, event_id(number or n), key(n), source)
        self.history.deliveries.append(Delivery(self.tick(), user, ROOM, "message", *about))

    def told(self, user: str, kind: Any, seq: int, about: str = "") -> None:  # noqa: ANN401 - the kinds of a delivery
        """A client is told something else."""
        self.history.deliveries.append(Delivery(self.tick(), user, ROOM, kind, seq, 0, about))

    def operation(self, kind: str, user: str = "ann", **fields: Any) -> Operation:  # noqa: ANN401 - fields of an operation
        """Something is asked and answered well, in one second."""
        made = self.history.begin(kind, user, ROOM)
        self.history.end(made, "ok")
        made.invoked, made.ended = self.tick(), self.at + 0.5
        for name, value in fields.items():
            setattr(made, name, value)
        return made

    def reads(self, *numbers: int, covers: tuple[int, int] = (0, 2**53)) -> None:
        """Bob reads a history with these messages."""
        items = [Item(n, event_id(n), key(n), deleted=False) for n in numbers]
        self.operation("history", "bob", items=items, covers=covers)

    def marks(self, seq: int) -> None:
        """Ann has seen what is up to a place."""
        self.operation("seen", seq=seq)

    def doubts(self) -> None:
        """Bob is told to resume, or comes back on a new connection."""
        self.history.doubts.append(Doubt(self.tick(), "bob", ROOM))

    def sees(self, seq: int) -> None:
        """Bob is told how far ann has seen."""
        self.history.seen.append(SeenTold(self.tick(), "bob", "ann", ROOM, seq))

    def destroyed(self, above: int, *, seen: int = 0) -> None:
        """A fault destroys what SQL does not have: all above a number, ann's mark above another."""
        strike = Strike("FLUSHALL", destroys=True, losses=[{PARTITION: above}])
        strike.seen = [{(ROOM, "ann"): seen}]
        strike.begun = strike.over = self.tick()
        strike.healed = dict.fromkeys(("back", "accepted", "delivered", "durable"), 1.0)
        self.evidence.strikes.append(strike)

    def harmless(self) -> None:
        """A fault destroys nothing."""
        strike = Strike("kill -9 Redis")
        strike.begun = strike.over = self.tick()
        strike.healed = dict.fromkeys(("back", "accepted", "delivered", "durable"), 1.0)
        self.evidence.strikes.append(strike)

    def finding(self, kind: str) -> None:
        """The run itself found something."""
        self.evidence.findings.append(Finding(kind, "it did"))

    def violations(self) -> list[Violation]:
        """What the checker says."""
        return check(self.evidence, CHECKS)

    def kinds(self) -> set[str]:
        """The kinds of what the checker says."""
        return {violation.kind for violation in self.violations()}


def key(n: int) -> str:
    """The clientMsgId of ann's message `n`."""
    return f"ann.{n}"


def event_id(number: int) -> int:
    """The id of an event."""
    return make_id(number, PARTITION)
