"""A room of the load generator: its messages, and their deliveries."""

from array import array
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

LENGTH = 100
"""Bytes of a message's text."""

DIGITS = 9


class InvalidRunError(Exception):
    """A delivery was missing, twice, in the wrong room or in the wrong place."""


class Sender(Protocol):
    """The client that posts a room's messages."""

    user: str

    def post(self, text: str) -> None:
        """Post a text to the room."""
        ...


class Room:
    """A room, its members and its messages.

    Attributes:
        texts: of all messages, as bytes, in the order they were sent.
        left: how many members lack each message.
        latencies: seconds from sending to each arrival, if they are wanted.
        last_latencies: seconds from sending to the arrival at the last member.
        out_of_order: how many deliveries came before an earlier one.
        duplicates: how many came again; they are not counted as deliveries.
        problem: the first thing that was wrong, for people.
    """

    def __init__(self, number: int, size: int, *, direct: bool) -> None:
        self.number = number
        self.name = f"room-{number:05d}"
        self.size = size
        self.direct = direct
        self.members: list[Sender] = []
        self.texts: list[bytes] = []
        self.left: list[int] = []
        self.sent_at = array("d")
        self.latencies: array[float] | None = None
        self.last_latencies = array("d")
        self.problem = ""
        self.out_of_order = 0
        self.duplicates = 0
        self._mark = f"~{number:05d}.".encode()
        self.completed = 0
        self.on_complete: Callable[[Room], None] = lambda _: None

    def post(self) -> None:
        """Let the first member post the next message."""
        text = f"{self._mark.decode()}{len(self.texts):0{DIGITS}d}~".ljust(LENGTH, "m")
        self.texts.append(text.encode())
        self.left.append(self.size)
        self.sent_at.append(perf_counter())
        self.members[0].post(text)

    def arrived(self, number: int) -> None:
        """Note the latency of a message to one member."""
        if self.latencies is not None:
            self.latencies.append(perf_counter() - self.sent_at[number])

    def complete(self, number: int) -> None:
        """Note that every member has a message."""
        self.completed += 1
        if self.latencies is not None:
            self.last_latencies.append(perf_counter() - self.sent_at[number])
        self.on_complete(self)

    def wrong(self, user: str, number: int, data: bytes) -> None:
        """Note an error in a delivery."""
        if not self.problem:
            wanted = self.texts[number][:17] if number < len(self.texts) else b"nothing"
            self.problem = f"{user} of {self.name} wanted {wanted!r} and got {data[:300]!r}"

    def number_in(self, data: bytes) -> int:
        """The number of the message of this room in a delivery; -1 if there is none."""
        start = data.find(self._mark)
        if start < 0:
            return -1
        digits = data[start + len(self._mark) : start + len(self._mark) + DIGITS]
        number = int(digits) if digits.isdigit() else -1
        return number if number < len(self.texts) and self.texts[number] in data else -1

    def start_timing(self) -> None:
        """Keep latencies from now on."""
        self.latencies = array("d")
        self.last_latencies = array("d")
