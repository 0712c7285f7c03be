"""How a path is cut out of what a gateway called, on a made-up trace."""

from pathlib import Path

import pytest

from tests.structure import paths
from tests.structure.paths import Note, NotFoundError, Trace

ROOT = Path("/checkout")
SCRIPTS = {"d1": "/checkout/shared/publish.lua", "d2": "/checkout/shared/other.lua"}


def note(file: str, function: str, this: int = 0, said: str = "") -> Note:
    return Note(f"/checkout/gateway/{file}.py", function, this, said)


def trace(*notes: Note) -> Trace:
    return Trace(SCRIPTS, list(notes))


def files(notes: list[Note]) -> list[str]:
    return [Path(file).name for file in paths.files(notes, SCRIPTS, ROOT)]


def test_in() -> None:
    """A message's way in begins with the client's bytes and ends with the call of the script."""
    found = trace(
        note("beat", "Beat.run"),
        note("link", "Link.data_received"),
        note("dispatcher", "Dispatcher.dispatch"),
        note("resp", "RespConnection.write", 1, "EVALSHA d2"),
        note("pipe", "Pipe.ask"),
        note("resp", "RespConnection.write", 1, "EVALSHA d1"),
        note("late", "late"),
    )
    way = ["link.py", "dispatcher.py", "resp.py", "other.lua", "pipe.py", "publish.lua"]
    assert files(paths.inwards(found, "publish")) == way
    assert files(paths.to_dispatcher(found)) == way[:2]


def test_out() -> None:
    """A message's way out begins with its own push and ends with its own bytes to a member."""
    found = trace(
        note("beat", "RespConnection.data_received", 1, "a beat"),
        note("control", "decode"),
        note("resp", "RespConnection.data_received", 1, "a text"),
        note("hub", "Hub.delivered"),
        note("link", "Link.write", 5, "another"),
        note("burst", "Burst.add"),
        note("link", "Link.write", 5, "a text"),
        note("late", "late"),
    )
    assert files(paths.outwards(found, "a text")) == ["resp.py", "hub.py", "link.py", "burst.py"]


def test_an_answer() -> None:
    """A request's way begins with the client's bytes and ends with the reply's."""
    found = trace(
        note("link", "Link.data_received"),
        note("replay", "replay"),
        note("link", "Link.write", 5, '{"event":"message"}'),
        note("fan_out", "show"),
        note("link", "Link.write", 5, '{"event":"reply"}'),
        note("late", "late"),
    )
    assert files(paths.answered(found)) == ["link.py", "replay.py", "fan_out.py"]


def test_a_login() -> None:
    """A login's way ends with the first bytes to the connection that it opened, not to another."""
    found = trace(
        note("http", "HandshakeProtocol.data_received"),
        note("link", "Link.__init__", 6),
        note("people", "came"),
        note("link", "Link.write", 5),
        note("flusher", "flush"),
        note("link", "Link.write", 6),
        note("late", "late"),
    )
    assert files(paths.let_in(found)) == ["http.py", "link.py", "people.py", "flusher.py"]


def test_what_is_no_file_of_ours() -> None:
    """Neither the file of a package itself nor what stands outside of the checkout counts."""
    notes = [note("api/__init__", "f"), Note("/usr/lib/redis.py", "f"), note("hub", "f")]
    assert files(notes) == ["hub.py"]


def test_a_landmark_is_missing() -> None:
    """A path that does not pass a landmark is told by its name, instead of counted as short."""
    with pytest.raises(NotFoundError, match="no call of Link"):
        paths.answered(trace(note("link", "Link.data_received")))


def test_steady() -> None:
    """What only some runs have is left out, and the first run says the order."""
    assert paths.steady([["b", "a", "beat", "c"], ["a", "b", "c"], ["c", "b", "a"]]) == [*"bac"]
