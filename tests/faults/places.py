"""Rooms and chats of a run, and the messages in them."""

from dataclasses import dataclass, field

from tests.faults.history import now


@dataclass(slots=True, eq=False)
class Message:
    """A send that is kept until it is durable.

    Attributes:
        seq, id: where it was accepted last, and as what; 0 before.
        era: of the client, when it was accepted; see `Client`.
        tried: whether an attempt got no answer.
        begun: when it was first tried.
    """

    key: str
    place: str
    content: str
    seq: int = 0
    id: int = 0
    era: int = 0
    tried: bool = False
    begun: float = field(default_factory=now)


@dataclass(frozen=True)
class Place:
    """A room, or a direct chat by its id."""

    name: str
    room: str = ""
    chat: int = 0
    other: str = ""

    @property
    def where(self) -> dict[str, object]:
        """The fields by which requests name the place."""
        return {"room": self.room} if self.room else {"chatId": self.chat}
