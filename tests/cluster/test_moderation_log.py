"""The list of what was done in a room, by whom: for its owner and moderators, without addresses."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.storage import Database
from tests.support.tokens import JWT, token
from tests.support.waiting import eventually


@pytest_asyncio.fixture(scope="module")
async def proven() -> AsyncIterator[Cluster]:
    """A cluster for those with tokens."""
    async with Cluster(env=JWT) as running:
        yield running


def told(page: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a page says, the newest first."""
    return [(item["action"], item.get("by"), item.get("user")) for item in page["items"]]


async def act(ann: Peer, mia: Peer, bob: Peer, room: str) -> dict[str, Any]:
    """Do everything that there is to do; what was done to a message of Bob's."""
    await ann.request("createRoom", {"name": room})
    for peer in (ann, mia, bob):
        await peer.request("joinRoom", {"room": room})
    sent: dict[str, Any] = await bob.request("message", {"room": room, "content": "rude"})
    own = await bob.request("message", {"room": room, "content": "mistaken"})
    await bob.request("deleteMessage", {"messageId": own["id"]})
    await ann.request("setModerator", {"room": room, "user": "mia", "moderator": True})
    await mia.request("deleteMessage", {"messageId": sent["id"]})
    await mia.request("kick", {"room": room, "user": "bob"})
    await mia.request("ban", {"room": room, "user": "bob"})
    await ann.request("unban", {"room": room, "user": "bob"})
    await ann.request("setPassword", {"room": room, "password": "sesame"})
    return sent


DONE = [
    ("passwordChanged", "ann", None),
    ("unbanned", "ann", "bob"),
    ("banned", "mia", "bob"),
    ("kicked", "mia", "bob"),
    ("messageDeleted", "mia", "bob"),
    ("moderatorChanged", "ann", "mia"),
    ("roomCreated", "ann", None),
]


async def test_who_did_what(proven: Cluster) -> None:
    """Owner and moderators see each act with who and whom, page by page; others are refused."""
    async with (
        Peer(proven.gateway_url(1), token=token("ann")) as ann,
        Peer(proven.gateway_url(2), token=token("mia")) as mia,
        Peer(proven.gateway_url(2), token=token("bob")) as bob,
    ):
        sent = await act(ann, mia, bob, "den")
        for peer in (ann, mia):
            page = await peer.request("getModerationLog", {"room": "den"})
            assert told(page) == DONE
            assert (page["next"], page.get("partial")) == (None, None)
            assert page["items"][0]["protected"] is True
            assert page["items"][4]["messageId"] == sent["id"]
            assert page["items"][5]["moderator"] is True
            assert "address" not in str(page)
            assert "127.0.0.1" not in str(page)
        seen, before = [], None
        while True:
            asked = {"room": "den", "limit": 2, **({} if before is None else {"before": before})}
            page = await mia.request("getModerationLog", asked)
            assert len(page["items"]) <= 2
            seen += told(page)
            if (before := page["next"]) is None:
                break
        assert seen == DONE
        with pytest.raises(Refusal, match="not_joined"):
            await bob.request("getModerationLog", {"room": "den"})
        await bob.request("joinRoom", {"room": "den", "password": "sesame"})
        with pytest.raises(Refusal, match="forbidden"):
            await bob.request("getModerationLog", {"room": "den"})


async def test_while_the_persister_is_away(proven: Cluster) -> None:
    """What SQL has not stored yet is in the list, and is still there when it has."""
    async with (
        Peer(proven.gateway_url(1), token=token("ann")) as ann,
        Peer(proven.gateway_url(1), token=token("mia")) as mia,
        Peer(proven.gateway_url(1), token=token("bob")) as bob,
    ):
        pid = proven.kill("persister-1")
        await act(ann, mia, bob, "attic")
        assert told(await ann.request("getModerationLog", {"room": "attic"})) == DONE
        await proven.wait_restarted("persister-1", pid)
        head = (await ann.request("history", {"room": "attic"}))["head"]
        query = "SELECT max(seq) FROM events JOIN rooms ON rooms.id = room_id WHERE name = 'attic'"

        async def stored() -> bool:
            return await Database(proven.database).rows(query) == [(head,)]

        assert await eventually(stored)
        assert told(await mia.request("getModerationLog", {"room": "attic"})) == DONE
