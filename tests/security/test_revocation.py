"""What an operator revokes is refused by every gateway, and by those that start later."""

import time
from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest
import pytest_asyncio

from shared.broker.transport.client import connect as connect_to_broker
from tests.security.doors import DOORS, GUARDED, Door, enter, new_address, pass_for
from tests.support.answers import until_ready
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.process import run
from tests.support.socketio import socketio
from tests.support.socketio_peer import SocketIOPeer
from tests.support.waiting import eventually

_numbers = count(1)


@pytest_asyncio.fixture(scope="module")
async def revoking() -> AsyncIterator[Cluster]:
    """Two gateways that want tokens, for tests that take tokens back."""
    env = {**GUARDED, "TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMITS": "off"}
    async with Cluster(env=env) as running:
        yield running


@pytest.fixture
def user() -> str:
    """Somebody whom no other test knows."""
    return f"revoked {next(_numbers)}"


async def command(cluster: Cluster, *words: str) -> str:
    """Run a command of the operator beside a cluster that runs; what it says."""
    code, out, err = await run("persister", *words, env={"DATA_DIR": str(cluster.data_dir)})
    assert (code, err) == (0, "")
    return out


async def refusal(url: str, shown: str) -> tuple[int, str]:
    """Show a token until it is refused: the status of the answer and its text."""

    async def refused() -> tuple[int, str] | None:
        async with httpx.AsyncClient(base_url=url, headers=new_address()) as http:
            answer = await http.post("/tickets", headers={"Authorization": f"Bearer {shown}"})
        if answer.status_code == 201:
            return None
        return answer.status_code, str(answer.json()["message"])

    found = await eventually(refused)
    assert found is not None
    return found


async def let_in(url: str, shown: str) -> None:
    """Come in with a token."""
    async with Peer(url, token=shown, headers=new_address()) as peer:
        await peer.request("getRooms")


async def ended(peer: Peer) -> tuple[str, int | None]:
    """Wait for the end of a connection: the text of its last error, and the close code."""
    code = await peer.closed()
    names = ("error", "exception")
    said = [frame["data"]["message"] for frame in peer.frames if frame["event"] in names]
    return said[-1] if said else "", code


REVOKED = (401, "the token was revoked")


@pytest.mark.parametrize("door", DOORS)
async def test_a_token_by_its_id(revoking: Cluster, user: str, door: Door) -> None:
    """A token revoked by its `jti` ends its connections on all gateways, and lets nobody in."""
    bad, good = pass_for(user, jti=f"id of {user}"), pass_for(user, jti="another")
    one, other = revoking.gateway_url(1), revoking.gateway_url(2)
    async with (
        enter(door, one, "", bad) as first,
        enter(door, other, "", bad) as second,
        enter(door, one, "", good) as stays,
    ):
        said = await command(revoking, "revoke", "--jti", f"id of {user}")
        assert said == f"the token id of {user}, for good; gateways know it within two seconds\n"
        for peer in (first, second):
            message, code = await ended(peer)
            assert message == "the token was revoked"
            assert code in ({4401} if door in ("json", "msgpack") else {1000, 1005, 1006, 4401})
        assert await stays.request("getRooms") == {}
    for url in (one, other):
        assert await refusal(url, bad) == REVOKED
        await let_in(url, good)
        with pytest.raises(Refusal) as refused:
            async with enter("socket.io", url, "", bad):
                pass
        assert refused.value.code == "unauthorized"


async def test_all_tokens_of_a_user(revoking: Cluster, user: str) -> None:
    """What a user's tokens allow ends for those issued before a time, or without a time."""
    now = int(time.time())
    old, undated = pass_for(user, iat=now - 60), pass_for(user)
    one, other = revoking.gateway_url(1), revoking.gateway_url(2)
    async with Peer(one, token=old) as first, Peer(other, token=undated) as second:
        await command(revoking, "revoke", "--user", user, "--before", str(now - 30))
        for peer in (first, second):
            assert await ended(peer) == ("the token was revoked", 4401)
    for url in (one, other):
        for shown in (old, undated):
            assert await refusal(url, shown) == REVOKED
        await let_in(url, pass_for(user, iat=now - 20))
        await let_in(url, pass_for(f"{user} the second", iat=now - 60))


async def test_a_ticket_of_a_revoked_token(revoking: Cluster, user: str) -> None:
    """A ticket does not outlive the token that it was given for."""
    shown = pass_for(user, jti=user)
    async with httpx.AsyncClient(base_url=revoking.gateway_url(1)) as http:
        headers = {"Authorization": f"Bearer {shown}"}
        tickets = [(await http.post("/tickets", headers=headers)).json()["ticket"] for _ in "123"]
    async with Peer(revoking.gateway_url(2), f"ticket={tickets[0]}") as peer:
        await command(revoking, "revoke", "--jti", user)
        assert await ended(peer) == ("the token was revoked", 4401)
    async with Peer(revoking.gateway_url(2), f"ticket={tickets[1]}") as peer:
        assert await ended(peer) == ("the token was revoked", 4401)
    async with socketio(revoking.gateway_url(2)) as client:
        kind, answer = await client.connect({"ticket": tickets[2]})
        assert (kind, answer.get("message")) == ("44", "the token was revoked")


async def test_no_recovery_after_a_revocation(revoking: Cluster, user: str) -> None:
    """The Socket.IO session of a revoked token is not recovered, by another token neither."""
    url, other = revoking.gateway_url(1), revoking.gateway_url(2)
    async with SocketIOPeer(url, auth={"token": pass_for(user, jti=user)}) as peer:
        pid = peer.pid
        await command(revoking, "revoke", "--jti", user)
        assert (await ended(peer))[0] == "the token was revoked"
    async with SocketIOPeer(other, auth={"token": pass_for(user, jti="b"), "pid": pid}) as back:
        assert not back.recovered


async def test_what_is_revoked_is_listed_and_taken_back(revoking: Cluster, user: str) -> None:
    """`revocations` lists what is revoked, and `unrevoke` lets it in again."""
    shown = pass_for(user, jti=user)
    until = "2100-01-01T00:00:00Z"
    await command(revoking, "revoke", "--jti", user, "--until", until)
    await command(revoking, "revoke", "--user", user, "--before", "2026-01-01T00:00:00")
    assert await refusal(revoking.gateway_url(1), shown) == REVOKED
    said = await command(revoking, "revocations")
    assert f"the token {user}, until 2100-01-01T00:00:00.000Z\n" in said
    assert f"tokens of {user} issued before 2026-01-01T00:00:00.000Z, for good\n" in said
    for words in (("--jti", user), ("--user", user)):
        assert (await command(revoking, "unrevoke", *words)).startswith("taken back: ")

    async def accepted() -> bool:
        async with httpx.AsyncClient(base_url=revoking.gateway_url(1)) as http:
            headers = {"Authorization": f"Bearer {shown}"}
            return (await http.post("/tickets", headers=headers)).status_code == 201

    assert await eventually(accepted)
    assert user not in await command(revoking, "revocations")
    env = {"DATA_DIR": str(revoking.data_dir)}
    code, out, _ = await run("persister", "unrevoke", "--jti", user, env=env)
    assert (code, out) == (1, "nothing is revoked by this name\n")


async def test_an_earlier_time_lets_nobody_in_again(revoking: Cluster, user: str) -> None:
    """A second revocation of a user, with an earlier time and an end, does not weaken the first."""
    now = int(time.time())
    shown = pass_for(user, iat=now - 60)
    await command(revoking, "revoke", "--user", user)
    earlier = ("--before", str(now - 3600), "--until", "2100-01-01")
    said = await command(revoking, "revoke", "--user", user, *earlier)
    assert ", for good; " in said
    await command(revoking, "revoke", "--jti", user)
    assert await refusal(revoking.gateway_url(1), pass_for("x", jti=user)) == REVOKED
    assert await refusal(revoking.gateway_url(1), shown) == REVOKED


@pytest.mark.parametrize("door", DOORS)
async def test_a_disconnected_user(revoking: Cluster, user: str, door: Door) -> None:
    """`disconnect` ends all connections of a user, who comes back with the same token."""
    shown = pass_for(user, jti=user)
    one, other = revoking.gateway_url(1), revoking.gateway_url(2)
    async with (
        enter(door, one, "", shown) as first,
        enter(door, other, "", shown) as second,
        enter(door, other, "", pass_for(f"{user} the second")) as stays,
    ):
        said = await command(revoking, "disconnect", "--user", user)
        assert said == f"the connections of {user} end within two seconds\n"
        for peer in (first, second):
            _, code = await ended(peer)
            assert code in ({1001} if door in ("json", "msgpack") else {1000, 1001, 1005, 1006})
        assert await stays.request("getRooms") == {}
        async with enter(door, one, "", shown) as back:
            assert await back.request("getRooms") == {}


async def test_after_the_end_of_everything_but_sql() -> None:
    """Revocations outlive restarts of gateways and the loss of all that Redis held."""
    async with Cluster(env={**GUARDED, "RATE_LIMITS": "off"}) as cluster:
        shown = pass_for("ann", jti="stolen")
        await command(cluster, "revoke", "--jti", "stolen")
        client = connect_to_broker(cluster.redis_url)
        await client.flushall()
        await client.aclose()
        for number in (1, 2):
            assert await refusal(cluster.gateway_url(number), shown) == REVOKED
        for name in ("gateway-1", "gateway-2"):
            await cluster.wait_restarted(name, cluster.kill(name))
        for number in (1, 2):
            url = cluster.gateway_url(number)
            await until_ready(url)
            await let_in(url, pass_for("bob"))
            assert await refusal(url, shown) == REVOKED


async def test_open_gateways_have_no_tokens() -> None:
    """With AUTH_MODE=open `revoke` says that there is nothing to revoke; `disconnect` works."""
    async with Cluster(gateways=1) as cluster:
        env = {"DATA_DIR": str(cluster.data_dir)}
        code, out, err = await run("persister", "revoke", "--user", "ann", env=env)
        assert (code, out) == (2, "")
        assert err.startswith("with AUTH_MODE=open there are no tokens to revoke")
        async with Peer(cluster.gateway_url(1), "username=ann") as ann:
            await command(cluster, "disconnect", "--user", "ann")
            assert await ended(ann) == ("", 1001)
        await let_in(f"{cluster.gateway_url(1)}", "")


async def test_the_beginning_of_time_is_a_time(revoking: Cluster, user: str) -> None:
    """`--before 0` is taken as it is written, and refuses nothing that says when it was issued."""
    said = await command(revoking, "revoke", "--user", user, "--before", "0")
    assert said.startswith(f"tokens of {user} issued before 1970-01-01T00:00:00.000Z, ")
    await let_in(revoking.gateway_url(1), pass_for(user, iat=1))


WRONG = {
    "one of the arguments --jti --user is required": ("revoke",),
    "not allowed with argument --jti": ("revoke", "--jti", "a", "--user", "b"),
    "'yesterday' is no time": ("revoke", "--user", "ann", "--before", "yesterday"),
    "--before is in the future": ("revoke", "--user", "ann", "--before", "2100-01-01"),
    "--until is over": ("revoke", "--jti", "a", "--until", "2001-01-01"),
    "--before goes with --user": ("revoke", "--jti", "a", "--before", "2001-01-01"),
    "must have from 1 to 256 characters": ("disconnect", "--user", "a" * 300),
    "it must have from 1 to 256 characters": ("disconnect", "--user", ""),
}


@pytest.mark.parametrize(("said", "words"), WRONG.items())
async def test_wrong_arguments(revoking: Cluster, said: str, words: tuple[str, ...]) -> None:
    """What cannot be meant is refused in one sentence, with exit code 2."""
    env = {"DATA_DIR": str(revoking.data_dir)}
    code, out, err = await run("persister", *words, env=env)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert said in err


async def test_the_end_of_a_connection_with_its_token(revoking: Cluster, user: str) -> None:
    """A connection ends with 4401 when its token expires, unless a fresh one came before."""
    short, long = pass_for(user, lasts=8), pass_for(user)
    url = revoking.gateway_url(1)
    async with (
        Peer(url, token=short) as header,
        Peer(url) as frame,
        Peer(url, token=short) as renewed,
        SocketIOPeer(url, auth={"token": short}) as client,
    ):
        await frame.request("authenticate", {"token": short})
        await renewed.request("authenticate", {"token": long})
        for peer in (header, frame):
            assert await ended(peer) == ("the token has expired", 4401)
        assert (await ended(client))[0] == "the token has expired"
        assert await renewed.request("getRooms") == {}


async def test_a_word_before_a_token(revoking: Cluster, user: str) -> None:
    """`Bearer ` before a token is no part of it, wherever a token is given."""
    url, shown = revoking.gateway_url(1), f"Bearer {pass_for(user)}"
    async with Peer(url) as peer:
        assert (await peer.request("authenticate", {"token": shown}))["user"] == user
    async with Peer(url) as peer:
        assert (await peer.request("authenticate", shown))["user"] == user
    async with SocketIOPeer(url, auth={"token": shown}) as client:
        assert await client.request("getRooms") == {}
    await let_in(url, shown)
