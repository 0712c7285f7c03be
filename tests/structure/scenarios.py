"""The clients' actions while gateways are traced, and the files that they run through.

Everything is done several times, and what counts is in every trace. Two gateways take part in a
message: one takes it in, the other puts it out, so that neither path has a reply in its way.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Final

from tests.structure import paths
from tests.structure.paths import Note, Trace
from tests.structure.tracing import TracedCluster, traced_cluster
from tests.support.peer import Peer
from tests.support.socketio_peer import SocketIOPeer
from tests.support.tokens import JWT, token

WARM_UP: Final = 2
"""How often each thing is done first, for what happens the first time only."""

TIMES: Final = 7

MISSED: Final = 3
"""Messages that a resume brings."""

CONTENT: Final = "a message that is looked for among the bytes"

Files = dict[str, list[str]]
"""The files of each path, by its title, in the order of first entry."""

MakePeer = Callable[[str, str], AbstractAsyncContextManager[Peer]]
"""Makes a client from a gateway's URL and a query."""


async def crossed(root: Path) -> Files:
    """The files that the paths of a checkout cross; runs two clusters, one after the other.

    Args:
        root: of the checkout, resolved.

    Raises:
        NotFoundError: a path does not pass its landmarks.
    """
    found: Files = {}
    async with traced_cluster(root, 2, {}) as cluster:
        found |= await _message(cluster, "/ws message", Peer)
        found |= await _message(cluster, "Socket.IO message", SocketIOPeer)
        found |= await _resume(cluster)
        found |= await _connect(cluster)
    async with traced_cluster(root, 1, JWT) as cluster:
        found |= await _authenticate(cluster)
    return found


async def _message(cluster: TracedCluster, title: str, peer: MakePeer) -> Files:
    """A message in a room with one member on each gateway, sent on the first."""
    sent, received = [], []
    room = {"room": title}
    async with (
        peer(cluster.url(1), "username=ann") as ann,
        peer(cluster.url(2), "username=bob") as bob,
    ):
        await ann.request("createRoom", {"name": title})
        for member in (ann, bob):
            await member.request("joinRoom", room)
        for _ in range(WARM_UP + TIMES):
            async with cluster.trace(1, 2) as traces:
                await ann.request("message", room | {"content": CONTENT})
                await bob.next("message", room=title)
            sent.append(traces[0])
            received.append(traces[1])
    there = _files(cluster, sent, partial(paths.inwards, script="publish"))
    back = _files(cluster, received, partial(paths.outwards, content=CONTENT))
    return {
        f"{title}, in to the dispatcher": _files(cluster, sent, paths.to_dispatcher),
        f"{title}, in to the script": there,
        f"{title}, out": back,
        f"{title}, in and out": list(dict.fromkeys([*there, *back])),
    }


async def _resume(cluster: TracedCluster) -> Files:
    """A new connection goes on in an open room that has another member on its gateway."""
    traces: list[Trace] = []
    async with Peer(cluster.url(1), "username=ann") as ann:
        await ann.request("createRoom", {"name": "resumed"})
        await ann.request("joinRoom", {"room": "resumed"})
        for _ in range(1 + MISSED):
            await ann.request("message", {"room": "resumed", "content": CONTENT})
        for number in range(WARM_UP + TIMES):
            async with Peer(cluster.url(1), f"username=bob{number}") as bob:
                await bob.notified(f"bob{number} connected")
                async with cluster.trace(1) as traced:
                    await bob.request("resume", {"rooms": {"resumed": 1}})
                traces += traced
                assert len(bob.all("message", "resumed")) == MISSED
    return {"/ws resume of a room": _files(cluster, traces, paths.answered)}


async def _connect(cluster: TracedCluster) -> Files:
    """A connection says its name in its query."""
    traces: list[Trace] = []
    async with Peer(cluster.url(2), "username=ann") as ann:
        for number in range(WARM_UP + TIMES):
            async with cluster.trace(1) as traced, Peer(cluster.url(1), f"username=bob{number}"):
                await ann.notified(f"bob{number} connected")
            await ann.notified(f"bob{number} disconnected")
            traces += traced
    return {"login with /ws?username=": _files(cluster, traces, paths.let_in)}


async def _authenticate(cluster: TracedCluster) -> Files:
    """An open connection shows a token, where rates are limited as they are with tokens."""
    traces: list[Trace] = []
    for number in range(WARM_UP + TIMES):
        async with Peer(cluster.url(1)) as peer:
            async with cluster.trace(1) as traced:
                await peer.request("authenticate", {"token": token(f"ann{number}")})
            traces += traced
    return {"login with authenticate": _files(cluster, traces, paths.answered)}


def _files(
    cluster: TracedCluster, traces: list[Trace], cut: Callable[[Trace], list[Note]]
) -> list[str]:
    """The files that a path crosses every time, in the order of the time with the fewest calls."""
    found = sorted(((cut(trace), trace.scripts) for trace in traces[WARM_UP:]), key=_calls)
    return paths.steady([paths.files(*one, cluster.root) for one in found])


def _calls(found: tuple[list[Note], dict[str, str]]) -> int:
    return len(found[0])
