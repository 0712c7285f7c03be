"""Frames of a WebSocket, read from bytes that come in any pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from gateway.protocols.websocket_frames import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    WebSocketError,
    close_code,
    close_frame,
    frame,
    payloads,
)
from gateway.protocols.websocket_reader import FrameReader, Message

LIMIT = 70_000


def masked(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """A client's frame, as another library writes it."""
    return Frame(Opcode(opcode), payload, fin).serialize(mask=True)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Data cut at places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def read_all(reader: FrameReader, data: bytes) -> list[tuple[int, bytes]]:
    """The messages that bytes complete, in however many calls."""
    messages = reader.feed(data)
    while reader.more:
        messages += reader.feed(b"")
    return messages


FRAMES = st.tuples(st.sampled_from((BINARY, PING)), st.binary(max_size=100)) | st.tuples(
    st.just(BINARY), st.binary(max_size=300) | st.just(b"x" * 66_000)
)


@given(
    frames=st.lists(st.tuples(FRAMES, st.sampled_from((1, 1, 70))), max_size=5),
    cuts=st.lists(st.integers(min_value=0), max_size=20),
)
def test_any_pieces_and_calls_give_the_same_messages(
    frames: list[tuple[tuple[int, bytes], int]], cuts: list[int]
) -> None:
    """However bytes are cut, and whether or not all is read before more come, messages are same."""
    sent = [frame for frame, times in frames for _ in range(times)]
    data = b"".join(masked(opcode, payload) for opcode, payload in sent)
    at_once, later = FrameReader(LIMIT), FrameReader(LIMIT)
    got, counted, got_later = [], 0, []
    for piece in in_pieces(data, cuts):
        got += at_once.feed(piece)
        counted += at_once.frames
        while at_once.more:
            got += at_once.feed(b"")
            counted += at_once.frames
        got_later += later.feed(piece)
    got_later += read_all(later, b"")
    assert got == got_later == [Message(opcode, payload) for opcode, payload in sent]
    assert counted == len(sent)


def test_a_part_at_a_time() -> None:
    """Of a flood of small frames, or of large ones, one call reads a bounded part."""
    small, large, fragments = (FrameReader(LIMIT) for _ in range(3))
    assert len(small.feed(masked(PING, b"") * 40_000)) == small.frames == 64
    assert small.more
    assert len(large.feed(masked(BINARY, b"x" * 20_000) * 10)) == large.frames == 4
    assert large.more
    assert fragments.feed(masked(TEXT, b"", fin=False) + masked(0, b"", fin=False) * 900) == []
    assert fragments.frames == 64


def test_fragments_with_a_ping_among_them() -> None:
    """A message in fragments is one message, and a ping between them comes first."""
    reader = FrameReader(LIMIT)
    data = masked(TEXT, b"he", fin=False) + masked(PING, b"?") + masked(0, b"llo")
    assert reader.feed(data) == [Message(PING, b"?"), Message(TEXT, b"hello")]


BROKEN = {
    "a frame that is not masked": (frame(TEXT, b"x"), 1002),
    "a reserved bit": (b"\xc1\x80\0\0\0\0", 1002),
    "a reserved opcode": (b"\x83\x80\0\0\0\0", 1002),
    "a continuation of nothing": (masked(0, b"x"), 1002),
    "a message within a message": (masked(TEXT, b"x", fin=False) + masked(TEXT, b"y"), 1002),
    "a control frame in fragments": (b"\x09\x80\0\0\0\0", 1002),
    "a control frame of 126 bytes": (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),
    "a text that is not UTF-8": (masked(TEXT, b"\xff"), 1007),
    "a message over the limit": (b"\x82\xff" + (LIMIT + 1).to_bytes(8, "big") + b"mask", 1009),
    "fragments over the limit": (
        masked(BINARY, b"x" * 60_000, fin=False) + masked(0, b"x" * 20_000),
        1009,
    ),
    "a message in endless empty fragments": (
        masked(TEXT, b"", fin=False) + masked(0, b"", fin=False) * 5000,
        1008,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_protocol(name: str) -> None:
    """What breaks the protocol is named by its close code, after what came before it."""
    data, code = BROKEN[name]
    reader = FrameReader(LIMIT)
    assert read_all(reader, masked(TEXT, b"before") + data)[0] == Message(TEXT, b"before")
    assert reader.failure is not None
    assert reader.failure.code == code
    assert reader.feed(masked(TEXT, b"after")) == []


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_lengths_of_frames(size: int) -> None:
    """A frame of any length is read by another library as it was meant."""
    payload = b"x" * size
    assert frame(BINARY, payload) == Frame(Opcode.BINARY, payload).serialize(mask=False)


def test_close_codes() -> None:
    """A close frame says its code and what of the reason fits; one that is invalid is an error."""
    sent = close_frame(1001, "ö" * 100)
    assert sent[0] == 0x80 | CLOSE
    assert sent[1] <= 125
    assert close_code(sent[2:]) == 1001
    assert close_code(b"") is None
    for payload in (b"\x03", b"\x03\xed", b"\x03\xe8\xff"):
        with pytest.raises(WebSocketError):
            close_code(payload)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_joined_frames_come_apart(size: int) -> None:
    """Frames that were joined for one write have the payloads that were framed, in order."""
    parts = [b"first", b"x" * size, b"last"]
    assert list(payloads(b"".join(frame(TEXT, part) for part in parts))) == parts
