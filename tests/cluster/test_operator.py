"""What a cluster shows its operator, and nobody else."""

from typing import Any

import httpx
import pytest

from tests.support.cluster import Cluster
from tests.support.metrics import scrape
from tests.support.peer import Peer, Refusal
from tests.support.waiting import eventually

OURS = ("/metrics", "/status.json", "/status/status.js", "/status/status.css")


async def test_what_happens_is_counted(cluster: Cluster, room: str) -> None:
    """Sends, deliveries, errors, resumes and what was stored are counted where they happen."""
    before = await scrape(cluster.admin_port + 1)
    stored = await scrape(cluster.admin_port + 101)
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(1), "username=bob", "msgpack") as bob,
    ):
        await ann.request("createRoom", {"name": room})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": room})
        for n in range(5):
            await ann.request("message", {"room": room, "content": "x", "clientMsgId": f"{n % 4}"})
        await bob.until(4, "message", room)
        await bob.request("resume", {"rooms": {room: 1}})
        with pytest.raises(Refusal) as refused:
            await ann.request("joinRoom", {"room": "nowhere"})
        after = await scrape(cluster.admin_port + 1)

    def risen(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert risen("parley_sends_accepted_total") == 4
    assert risen("parley_sends_duplicate_total") == 1
    assert risen("parley_publish_sends_sum") == 5
    assert risen("parley_publish_seconds_count") == 5
    assert risen(f"parley_errors_total code={refused.value.code}") == 1
    assert risen("parley_resumes_total outcome=recovered") == 1
    assert risen("parley_deliveries_total") >= 2 * 4
    assert after["parley_connections protocol=chat.json"] >= 1
    assert after["parley_connections protocol=chat.msgpack"] >= 1
    assert after["parley_rooms kind=room"] >= 1
    assert after["parley_ready"] == 1

    async def all_stored() -> bool:
        now = await scrape(cluster.admin_port + 101)
        name = "parley_stored_entries_total"
        # The room and its messages; the last look at the backlog may be half a second old.
        return now[name] - stored[name] >= 5 and now["parley_storage_lag_seconds"] == 0

    await eventually(all_stored)


async def test_status_of_the_whole_cluster(cluster: Cluster) -> None:
    """The status names every gateway, persister and partition, and Redis and SQL."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{cluster.admin_port}") as http:

        async def found() -> Any:  # noqa: ANN401 - any JSON
            status = (await http.get("/status.json")).json()
            return status if len(status["gateways"]) == 2 else None

        status = await eventually(found)
        page = await http.get("/")
    assert status["waitsFor"] is None
    names = [each["name"].rsplit("-", 1)[0] for each in status["gateways"]]
    assert names == ["gateway-1", "gateway-2"]
    [persister] = status["persisters"]
    assert persister["name"].startswith("persister-1-")
    assert persister["partitions"] == 8
    partitions = status["partitions"]
    assert [each["number"] for each in partitions] == list(range(8))
    assert {(each["open"], each["owner"]) for each in partitions} == {(True, persister["name"])}
    assert status["redis"]["doubts"] == []
    assert status["sql"]["dialect"] == "sqlite"
    assert "status/status.js" in page.text


async def test_clients_see_nothing_of_it(cluster: Cluster) -> None:
    """On the clients' port there is no status and no metric, and health is one word."""
    for url in (cluster.url, cluster.gateway_url(1)):
        async with httpx.AsyncClient(base_url=url) as http:
            assert {(await http.get(path)).status_code for path in OURS} == {404}
            assert (await http.get("/health/ready")).json() == {"status": "ready"}
            assert (await http.get("/health/live")).json() == {"status": "live"}


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/docs", "/openapi.json", "/client/parley.js", "/health/live"),
        *("/nothing", "/chats/0", "/chats/user/ann", "/client/../../app.py"),
        *("/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=3", "/ws"),
    ],
)
async def test_every_answer_is_guarded(cluster: Cluster, path: str) -> None:
    """Whatever is asked, a browser may run, frame and guess nothing, and no version is told."""
    async with httpx.AsyncClient(base_url=cluster.url) as http:
        headers = (await http.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "cross-origin-resource-policy" in headers
    assert not {"server", "via", "x-powered-by"} & headers.keys()
