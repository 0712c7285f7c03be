"""Whatever bytes come: an error or a command goes out, never an exception, never much memory."""

import json

import msgpack
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.api import actions
from tests.security.doors import Door, enter
from tests.security.fuzz.samples import EVENTS, SAMPLES
from tests.security.fuzz.targets import TARGETS
from tests.support.cluster import Cluster

PLENTY = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
OVER_THE_WIRE = settings(PLENTY, max_examples=6, phases=[Phase.generate])

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["general", "ann", "\0", "", " ", "{p}", "a" * 200, 2**53, 2**63, -1])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = sorted({key for _, sample in EVENTS if isinstance(sample, dict) for key in sample})
data = st.dictionaries(st.sampled_from(FIELDS), values, max_size=5) | values
"""Mostly with fields that some event has."""

frames = st.fixed_dictionaries(
    {"event": st.sampled_from(sorted(actions.EVENTS)) | st.text(max_size=12)},
    optional={"data": data, "id": scalars},
)


@st.composite
def changed(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """A good sample of which some bytes were taken out, put in or replaced, or any bytes."""
    found = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(found)))
        end = draw(st.integers(start, min(len(found), start + 8)))
        found[start:end] = draw(st.binary(max_size=8))
    return bytes(found)


@pytest.mark.parametrize("name", TARGETS)
@PLENTY
@given(st.data())
def test_decoders(name: str, data: st.DataObject) -> None:
    """A decoder answers any bytes with what they say or an error of its own, and stays small."""
    TARGETS[name](data.draw(changed(SAMPLES[name]) | st.binary(max_size=200)))


def unlike(frame: object) -> object:
    """A frame as MessagePack can write it."""
    try:
        msgpack.packb(frame)
    except (OverflowError, UnicodeEncodeError):
        return {"event": "getRooms", "data": {"limit": -1}}
    return frame


@pytest.mark.parametrize("wire", ["json", "msgpack"])
@PLENTY
@given(frames)
def test_frames_of_all_events(wire: str, frame: object) -> None:
    """A frame with any data is a command of its event, or is refused with a code."""
    if wire == "json":
        TARGETS["json_frames"](json.dumps(frame).encode())
    else:
        TARGETS["msgpack_frames"](msgpack.packb(unlike(frame)))


@OVER_THE_WIRE
@given(st.lists(frames, min_size=20, max_size=40))
async def test_the_dispatcher(cluster: Cluster, door: Door, asked: list[dict[str, object]]) -> None:
    """Frames with any data are answered one for one, never by `internal`; the connection lives."""
    async with enter(door, cluster.gateway_url(1), "username=ann") as peer:
        for number, frame in enumerate(asked):
            given_up = unlike(frame)
            assert isinstance(given_up, dict)
            request = f"frame {number}" if door in {"json", "msgpack"} else None
            await peer.emit(str(given_up["event"]), given_up.get("data"), request)
        assert await peer.request("getRooms") == {}
        codes = {error["code"] for error in [*peer.all("error"), *peer.all("exception")]}
        assert "internal" not in codes
        assert peer.close_code is None
