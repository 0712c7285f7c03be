"""The reference client, which was written from the protocol's pages alone."""

import asyncio
import importlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from types import ModuleType
from typing import Any

import pytest

from tests.integration.clients.python.listening import restarted
from tests.integration.clients.python.relay import Frame, Relay
from tests.sdk.python.installed import EXAMPLES
from tests.support.cluster import Cluster
from tests.support.waiting import eventually

Shown = tuple[int, str, str]
"""The seq, the sender and the content of a message."""

ROOM = "garden"
PACE = 0.02  # seconds between a sender's messages


class Person:
    """A user of the client.

    Attributes:
        client: The client.
        gateway: The gateway that its last frame went to.
        cuts: How many of its connections were cut in the middle of a send.
        shown: What the client shows, by place.
        said: What the user sent and the server accepted, by kind of place.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.client: Any = None
        self.gateway = ""
        self.cuts = 0
        self.shown: dict[tuple[str, Any], list[Shown]] = defaultdict(list)
        self.said: dict[str, list[Shown]] = defaultdict(list)
        self._sends = count(1)

    def note(self, event: str, place: Any, data: Any) -> None:  # noqa: ANN401 - of the example
        """Note what the client shows."""
        if event == "reset":
            self.shown[place.kind, place.name] = []
        elif event in {"message", "newMessage"}:
            self.shown[place.kind, place.name].append(as_shown(data))

    def through(self, relay: Relay, gateway: str) -> None:
        """Cut the connection at some sends: before the server has them, or before its answer."""

        def passes(frame: Frame) -> bool:
            self.gateway = gateway
            if frame["event"] not in {"message", "sendMessage"}:
                return True
            number = next(self._sends) % 80
            if number in {20, 60}:
                self.cuts += 1
                relay.cut()
            return number != 20

        relay.to_server = passes

    async def talk(self, other: str, enough: asyncio.Event) -> None:
        """Talk in the room and to somebody, until that is enough."""

        async def say(kind: str) -> None:
            for number in count():
                content = f"{kind} {number}"
                to_room = kind == "room"
                client = self.client
                sending = client.send(ROOM, content) if to_room else client.send_to(other, content)
                self.said[kind].append(((await sending)["seq"], self.name, content))
                if enough.is_set():
                    return
                await asyncio.sleep(PACE)

        await asyncio.gather(say("room"), say("chatId"))

    async def history(self, kind: str, name: Any) -> list[Shown]:  # noqa: ANN401 - str or int
        """Read everything that the server has of a place, from its beginning."""
        items: list[Shown] = []
        while True:
            after = items[-1][0] if items else 0
            page = await self.client.request("history", {kind: name, "after": after, "limit": 1000})
            items += map(as_shown, page["items"])
            if items and items[-1][0] >= page["head"] and not page["partial"]:
                return items


def as_shown(item: dict[str, Any]) -> Shown:
    return item["seq"], str(item.get("sender") or item["senderId"]), item["content"]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the example."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "reference-client"))
    return importlib.import_module("chat_client")


@asynccontextmanager
async def person(example: ModuleType, cluster: Cluster, name: str) -> AsyncIterator[Person]:
    """Somebody who connects to the gateways through relays of their own."""
    somebody = Person(name)
    async with AsyncExitStack() as stack:
        urls = []
        for number in (1, 2):
            relay = await stack.enter_async_context(Relay(cluster.gateway_url(number)))
            somebody.through(relay, f"gateway-{number}")
            urls.append(relay.url.replace("http", "ws", 1))
        somebody.client = example.Client(urls, name, somebody.note)
        yield somebody
        await somebody.client.close()


async def test_nothing_is_lost_doubled_or_reordered(example: ModuleType) -> None:
    """While gateways die and sends are cut, two clients show each message once and in one order."""
    async with (
        Cluster(env={"WELL_AFTER": "0.1"}) as cluster,
        person(example, cluster, "ann") as ann,
        person(example, cluster, "bob") as bob,
    ):
        await ann.client.request("createRoom", {"name": ROOM})
        for somebody in (ann, bob):
            await somebody.client.join(ROOM)
        enough = asyncio.Event()
        talks = [asyncio.create_task(ann.talk("bob", enough))]
        talks += [asyncio.create_task(bob.talk("ann", enough))]
        for somebody in (ann, bob):
            killed = somebody.gateway
            await restarted(cluster, killed, cluster.kill(killed))
            await moved_on(ann, bob)
        enough.set()
        await asyncio.gather(*talks)
        assert min(ann.cuts, bob.cuts) >= 2
        (chat,) = [key for key in ann.shown if key[0] == "chatId"]
        for place in (("room", ROOM), chat):
            history = await ann.history(*place)
            assert sorted(history) == sorted(ann.said[place[0]] + bob.said[place[0]])
            assert [seq for seq, *_ in history] == sorted({seq for seq, *_ in history})
            for somebody in (ann, bob):
                await shows(somebody, place, history[-1])
                assert somebody.shown[place] == history


async def moved_on(*people: Person) -> None:
    """Wait until each has sent more than was on its way at a kill."""
    before = [len(somebody.said["room"]) for somebody in people]

    async def have_sent() -> bool:
        sent = [len(somebody.said["room"]) for somebody in people]
        return all(now >= then + 50 for now, then in zip(sent, before, strict=True))

    await eventually(have_sent)


async def shows(somebody: Person, place: tuple[str, Any], last: Shown) -> None:
    """Wait until a message is shown."""

    async def is_shown() -> bool:
        return last in somebody.shown[place]

    await eventually(is_shown)


REFUSED = {
    "half of a surrogate pair": ("cut\ud83d off", "bad_request"),
    "nothing": ("", "bad_request"),
    "too many characters": ("x" * 4001, "too_long"),
    "a frame too large": ("x" * 70_000, "too_long"),
}


def says_more(frame: Frame) -> bool:
    """Let a `welcome` promise more than the server takes."""
    if frame["event"] == "welcome":
        frame["data"] |= {"maxContent": 10**6, "maxFrame": 10**6}
    return True


async def test_what_is_refused_holds_up_nothing(example: ModuleType) -> None:
    """What no server takes is refused and not sent; a frame too large costs one reconnect."""
    async with Cluster(gateways=1) as cluster, Relay(cluster.gateway_url(1)) as relay:
        client = example.Client([relay.url.replace("http", "ws", 1)], "ann", lambda *_: None)
        await client.request("createRoom", {"name": ROOM})
        await client.join(ROOM)
        for name, (content, code) in REFUSED.items():
            with pytest.raises(example.Refused) as refused:
                await client.send(ROOM, content)
            assert refused.value.code == code, name
            await client.send(ROOM, f"after {name}")
        assert len([frame for frame in relay.seen if frame["event"] == "message"]) == len(REFUSED)

        relay.to_client = says_more
        relay.cut()

        async def has_connected_again() -> bool:
            return bool(client.limits.max_frame == 10**6)

        await eventually(has_connected_again)
        sends = [client.send(ROOM, "x" * 70_000), client.send_to("bob", "beside it")]
        large, beside = await asyncio.gather(*sends, return_exceptions=True)
        assert getattr(large, "code", None) == "too_long"
        assert isinstance(beside, dict)
        assert len([frame for frame in relay.seen if len(str(frame)) > 70_000]) == 1
        await client.send(ROOM, "after it")
        await client.close()
