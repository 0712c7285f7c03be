"""Critical paths: the files that a request runs through, cut from the trace of a gateway.

A trace is everything of ours that a gateway's event loop called between two moments. A path is
the part of it between two landmarks, which are calls of functions known by their names.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

READ: Final = "Link.data_received"
"""Bytes of a client's open WebSocket."""

WRITE: Final = "Link.write"
"""Frames that leave for a client."""

REQUESTED: Final = "HandshakeProtocol.data_received"
"""Bytes of a client's HTTP request."""

OPENED: Final = "Link.__init__"
"""A connection becomes an open WebSocket."""

PUSHED: Final = "RespConnection.data_received"
"""Bytes from the broker."""

CALLED: Final = "RespConnection.write"
"""Commands that leave for the broker."""

DISPATCHED: Final = "Dispatcher.dispatch"
"""A client's frame is to be read and done."""


class Note(NamedTuple):
    """A call.

    Attributes:
        file: of the function.
        function: its qualified name.
        this: identifies the object whose method it is; 0 where that was not looked at.
        said: the bytes that it was given, a letter for each; or what the server calls a script.
    """

    file: str
    function: str
    this: int = 0
    said: str = ""


class Trace(msgspec.Struct):
    """The calls of a gateway.

    Attributes:
        scripts: the files of the broker's scripts, by what the server calls them.
        notes: the calls, in order.
    """

    scripts: dict[str, str]
    notes: list[Note]


class NotFoundError(Exception):
    """A landmark is not in a trace: it has another name in this checkout, or the path is new."""


def inwards(trace: Trace, script: str) -> list[Note]:
    """From a client's bytes to the call of a script that is handed to the broker's connection."""
    digest = next(digest for digest, file in trace.scripts.items() if Path(file).stem == script)
    return _cut(trace.notes, _first(trace, READ), _first(trace, CALLED, digest))


def to_dispatcher(trace: Trace) -> list[Note]:
    """From a client's bytes to the dispatcher."""
    return _cut(trace.notes, _first(trace, READ), _first(trace, DISPATCHED))


def outwards(trace: Trace, content: str) -> list[Note]:
    """From the broker's push of a message to its bytes written to a member."""
    return _cut(trace.notes, _first(trace, PUSHED, content), _first(trace, WRITE, content))


def answered(trace: Trace) -> list[Note]:
    """From a client's bytes to the reply."""
    return _cut(trace.notes, _first(trace, READ), _first(trace, WRITE, '"reply"'))


def let_in(trace: Trace) -> list[Note]:
    """From a client's HTTP request to the first bytes on its open WebSocket."""
    this = trace.notes[_first(trace, OPENED)].this
    return _cut(trace.notes, _first(trace, REQUESTED), _first(trace, WRITE, this=this))


def files(notes: Iterable[Note], scripts: Mapping[str, str], root: Path) -> list[str]:
    """The files of a path below `root`, in the order of first entry, with the scripts it calls.

    A file counts when a function in it runs: `__init__.py` does not, and neither does a type whose
    instances are made by a library in C. A script counts as one, whatever is put in front of it.
    """
    found: dict[str, None] = {}
    for note in notes:
        called = [file for digest, file in scripts.items() if digest in note.said]
        for file in map(Path, (note.file, *called)):
            if file.name != "__init__.py" and file.is_relative_to(root):
                found[file.relative_to(root).as_posix()] = None
    return list(found)


def steady(runs: Sequence[Sequence[str]]) -> list[str]:
    """The files in every run, which leaves out those of timers that fell into one of them."""
    return [file for file in runs[0] if all(file in run for run in runs)]


def _first(trace: Trace, function: str, said: str = "", this: int = 0) -> int:
    for place, note in enumerate(trace.notes):
        if note.function == function and said in note.said and this in {0, note.this}:
            return place
    raise NotFoundError(
        f"no call of {function} with {said!r}" if said else f"no call of {function}"
    )


def _cut(notes: list[Note], begin: int, end: int) -> list[Note]:
    return notes[begin : end + 1]
