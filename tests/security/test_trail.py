"""The trail of security events: complete, bounded for each source, and without secrets."""

import asyncio
import json
import os
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.trail.events import EVENTS
from tests.security.doors import (
    DOORS,
    GUARDED,
    Door,
    SocketIODoor,
    enter,
    new_address,
    pass_for,
)
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.process import run
from tests.support.waiting import eventually

Line = dict[str, Any]

SECRET = "the-secret-of-an-operator-of-more-than-32-bytes"

REASONS: dict[str, dict[str, str]] = {
    "token_invalid": {"token": "nonsense"},
    "token_expired": {"token": pass_for("ann", lasts=-60)},
    "token_of_other_audience": {"token": pass_for("ann", aud="another")},
    "token_without_claim": {"token": pass_for(None)},
    "name_reserved": {"token": pass_for("guest-1")},
    "name_mismatch": {"token": pass_for("ann"), "query": "username=bob"},
    "ticket_invalid": {"query": "ticket=nonsense"},
    "token_in_url": {"query": "token=nonsense"},
    "token_missing": {},
}
"""What is shown to a gateway, by the reason for which it lets nobody in."""


@pytest_asyncio.fixture(scope="module")
async def watched() -> AsyncIterator[Cluster]:
    """A cluster for those with tokens, behind a proxy that gives everybody an address."""
    rates = {"RATE_CONNECTIONS": "1/1m:300", "RATE_REST": "1/1m:30", "RATE_GUESSES": "1/1h:2"}
    proxied = {"TRUSTED_PROXIES": "127.0.0.1", "ALLOWED_ORIGINS": "https://good.example"}
    async with Cluster(
        env={**GUARDED, **rates, **proxied, "LOG_FORMAT": "json", "OPERATOR_SECRET": SECRET}
    ) as running:
        yield running


def trail_of(cluster: Cluster) -> Path:
    """The file of security events."""
    return cluster.data_dir / "log" / "security.log"


def lines(cluster: Cluster, **wanted: object) -> list[Line]:
    """The events with these fields, in order."""
    found = [json.loads(line) for line in trail_of(cluster).read_text().splitlines()]
    return [line for line in found if wanted.items() <= line.items()]


async def written(cluster: Cluster, count: int = 1, **wanted: object) -> list[Line]:
    """Wait for events with these fields; there are so many of them."""

    async def look() -> bool:
        return len(lines(cluster, **wanted)) >= count

    await eventually(look)
    found = lines(cluster, **wanted)
    assert len(found) == count
    return found


def address_in(headers: dict[str, str]) -> str:
    """The address that a proxy gives somebody."""
    return headers["X-Forwarded-For"]


@pytest.mark.parametrize("door", DOORS)
async def test_a_login(watched: Cluster, door: Door) -> None:
    """A login is one event, with the user, the address and what was spoken."""
    user, address = f"login {door}", address_in(new_address())
    async with enter(door, watched.gateway_url(1), shown=pass_for(user), address=address):
        [found] = await written(watched, event="login", user=user)
    assert found.pop("at").endswith("Z")
    assert found == {
        "v": 1,
        "process": "gateway-1",
        "event": "login",
        "user": user,
        "how": "token",
        "address": address,
        "transport": "websocket" if door in ("json", "msgpack") else "socket.io",
    }


async def test_logins_by_ticket_and_over_rest(watched: Cluster) -> None:
    """A ticket is asked for in one event, and used in another; more requests are no more logins."""
    headers = new_address()
    shown = {**headers, "Authorization": f"Bearer {pass_for('tina')}"}
    async with httpx.AsyncClient(base_url=watched.gateway_url(2), headers=shown) as http:
        tickets = [(await http.post("/tickets")).json()["ticket"] for _ in range(3)]
    async with Peer(watched.url, f"ticket={tickets[0]}", headers=new_address()):
        await written(watched, event="login", user="tina", how="ticket", transport="websocket")
    await written(watched, event="login", user="tina", how="token", transport="rest")


async def be_refused(cluster: Cluster, headers: dict[str, str], shown: dict[str, str]) -> None:
    """Try to log in at a WebSocket."""
    query, token = shown.get("query", ""), shown.get("token", "")
    async with Peer(cluster.gateway_url(1), query, token=token, headers=headers) as peer:
        if shown:
            await peer.closed()
        else:
            with pytest.raises(Refusal):
                await peer.request("getRooms")


@pytest.mark.parametrize("reason", REASONS)
async def test_a_refused_login(watched: Cluster, reason: str) -> None:
    """A refusal is one event, with the reason and the address, whatever the cause."""
    headers = new_address()
    await be_refused(watched, headers, REASONS[reason])
    [found] = await written(watched, event="login_refused", address=address_in(headers))
    assert (found["reason"], found["transport"]) == (reason, "websocket")
    assert found.get("user") == ("ann" if reason == "name_mismatch" else None)


async def test_refusals_at_the_other_doors(watched: Cluster) -> None:
    """Socket.IO, `authenticate` and REST refuse with the same events."""
    one, two, three = new_address(), new_address(), new_address()
    with pytest.raises(Refusal):
        async with SocketIODoor(watched.gateway_url(1), token="nonsense", headers=one):
            pass
    async with Peer(watched.gateway_url(1), headers=two) as peer:
        with pytest.raises(Refusal):
            await peer.request("authenticate", {"token": "nonsense"})
    async with httpx.AsyncClient(base_url=watched.gateway_url(1), headers=three) as http:
        await http.post("/tickets", headers={"Authorization": "Bearer nonsense"})
    for headers, transport in ((one, "socket.io"), (two, "websocket"), (three, "rest")):
        [found] = await written(watched, event="login_refused", address=address_in(headers))
        assert (found["reason"], found["transport"]) == ("token_invalid", transport)


async def test_a_foreign_page(watched: Cluster) -> None:
    """A page of an origin that is not allowed is an event; line ends in its name are escaped."""
    headers = new_address()
    async with httpx.AsyncClient(base_url=watched.gateway_url(1), headers=headers) as http:
        origin = {b"Origin": b"https://evil.example/\xe2\x80\xae"}
        answer = await http.get("/chats/1", headers=origin)
        assert answer.status_code == 403
    [found] = await written(watched, event="origin_refused", address=address_in(headers))
    assert found["origin"].startswith("https://evil.example/")
    assert found["origin"].isprintable()


async def test_limits(watched: Cluster) -> None:
    """Who meets a limit is an event with the name of the rate, of an address and of a user."""
    headers = new_address()
    async with httpx.AsyncClient(base_url=watched.gateway_url(1), headers=headers) as http:
        while (await http.get("/chats/1")).status_code != 429:
            pass
    found = lines(watched, event="limited", address=address_in(headers))
    assert [each["rate"] for each in found[:1]] == ["rest"]
    assert "user" not in found[0]
    address = address_in(new_address())
    async with enter("json", watched.gateway_url(1), shown=pass_for("lim"), address=address) as lim:
        for _ in range(500):
            await lim.emit("createRoom", {"name": "x" * 500})
        while (await lim.next("error"))["data"]["code"] != "rate_limited":
            pass
    found = lines(watched, event="limited", user="lim")
    assert (found[0]["rate"], found[0]["address"]) == ("joins", address)


async def test_wrong_passwords(watched: Cluster) -> None:
    """A wrong password is an event, in a room that there is and in one that there is not."""
    url, address = watched.gateway_url(1), address_in(new_address())
    async with (
        enter("json", url, shown=pass_for("wanda")) as wanda,
        enter("json", url, shown=pass_for("gus"), address=address) as gus,
    ):
        await wanda.request("createRoom", {"name": "vault", "password": "sesame"})
        for room in ("vault", "no vault"):
            with pytest.raises(Refusal):
                await gus.request("joinRoom", {"room": room, "password": "simsalabim"})
            [found] = await written(watched, event="wrong_password", room=room)
            assert (found["user"], found["address"]) == ("gus", address)
        for _ in range(3):
            with pytest.raises(Refusal):
                await gus.request("joinRoom", {"room": "vault", "password": "abracadabra"})
        assert lines(watched, event="limited", user="gus", rate="guesses", room="vault")
        await gus.request("createRoom", {"name": "open"})
        await gus.request("joinRoom", {"room": "open", "password": "needless"})
    assert lines(watched, event="wrong_password", room="open") == []


async def test_acts_in_a_room(watched: Cluster) -> None:
    """Each act of moderation is one event, of the gateway that accepted it, with who and whom."""
    address, room = address_in(new_address()), "acts"
    async with (
        enter("json", watched.gateway_url(1), shown=pass_for("olga"), address=address) as olga,
        enter("socket.io", watched.gateway_url(2), shown=pass_for("mel")) as mel,
    ):
        await olga.request("createRoom", {"name": room})
        for peer in (olga, mel):
            await peer.request("joinRoom", {"room": room})
        sent = await mel.request("message", {"room": room, "content": "hello"})
        about = {"room": room, "user": "mel"}
        for event, data in (
            ("setModerator", {**about, "moderator": True}),
            ("setModerator", {**about, "moderator": False}),
            ("deleteMessage", {"messageId": sent["id"]}),
            ("deleteMessages", {"room": room}),
            ("kick", about),
            ("ban", about),
            ("unban", about),
            ("setPassword", {"room": room, "password": "sesame"}),
            ("setPassword", {"room": room}),
        ):
            await olga.request(event, data)
    await written(watched, 9, room=room, by="olga")
    kinds = [(line["event"], line.get("user")) for line in lines(watched, room=room, by="olga")]
    assert kinds == [
        ("role_changed", "mel"),
        ("role_changed", "mel"),
        ("message_deleted", "mel"),
        ("messages_deleted", None),
        ("kick", "mel"),
        ("ban", "mel"),
        ("unban", "mel"),
        ("password_changed", None),
        ("password_changed", None),
    ]
    found = lines(watched, room=room, by="olga")
    assert {line["address"] for line in found} == {address}
    assert {line["process"] for line in found} == {"gateway-1"}
    assert [line.get("moderator") for line in found[:2]] == [True, False]
    assert [line.get("protected") for line in found[-2:]] == [True, False]
    assert found[2]["message"] == sent["id"]


async def test_what_one_may_not_do(watched: Cluster) -> None:
    """Acting without the right, or while banned, is an event; asking for nothing there is not."""
    url, room = watched.gateway_url(2), "not yours"
    async with (
        enter("json", url, shown=pass_for("ola")) as ola,
        enter("json", url, shown=pass_for("nick")) as nick,
    ):
        await ola.request("createRoom", {"name": room})
        await nick.request("joinRoom", {"room": room})
        for event, data in (
            ("kick", {"room": room, "user": "ola"}),
            ("history", {"room": "nothing"}),
            ("getChats", {"userId": "ola"}),
        ):
            with pytest.raises(Refusal):
                await nick.request(event, data)
        await ola.request("ban", {"room": room, "user": "nick"})
        with pytest.raises(Refusal):
            await nick.request("joinRoom", {"room": room})
    found = await written(watched, 3, event="access_refused", user="nick")
    assert [(line["action"], line["reason"], line.get("room")) for line in found] == [
        ("Kick", "forbidden", room),
        ("GetChats", "forbidden", None),
        ("JoinRoom", "banned", room),
    ]


async def test_a_deleted_chat(watched: Cluster) -> None:
    """The deletion of a direct chat is one event."""
    shown = {"Authorization": f"Bearer {pass_for('dina')}", **new_address()}
    async with httpx.AsyncClient(base_url=watched.url, headers=shown) as http:
        body = {"user1Id": "dina", "user2Id": "dirk"}
        chat = (await http.post("/chats", json=body)).json()["id"]
        (await http.delete(f"/chats/{chat}")).raise_for_status()
    await written(watched, event="chat_deleted", by="dina", room=f"chat {chat}")


async def test_operators(watched: Cluster) -> None:
    """A command that changes something is an event of its own, in the file of the cluster."""
    env = {"DATA_DIR": str(watched.data_dir)}
    code, _, _ = await run("persister", "dead-letter", "retry", env=env)
    assert code == 0
    # Those of the persisters' ports have the names of the persisters.
    action, by_command = "operator_action", "persister"
    [found] = await written(watched, event=action, process=by_command)
    assert found["action"] == "dead-letter retry"
    assert found["by"]
    await run("persister", "dead-letter", "list", env=env)
    assert len(lines(watched, event=action, process=by_command)) == 1
    code, _, said = await run("persister", "disconnect", "--user", "nobody", env=env)
    assert (code, said) == (0, "")
    [found] = await written(watched, event="operator_action", action="disconnect")
    assert found["on"] == "user nobody"


@pytest.mark.parametrize(("port", "path"), [(1, "/disconnect"), (101, "/dead-letters/retry")])
async def test_an_operators_port(watched: Cluster, port: int, path: str) -> None:
    """What is done on an operator's port is an event, and so is what is refused there."""
    url = f"http://127.0.0.1:{watched.admin_port + port}{path}"
    async with httpx.AsyncClient() as http:
        for shown, status in (("a guess", 401), (SECRET, None)):
            headers = {"Authorization": f"Bearer {shown}"}
            answer = await http.post(url, json={"user": "nobody"}, headers=headers)
            assert answer.is_success == (status is None)
    [found] = await written(watched, event="operator_refused", action=f"POST {path}")
    assert (found["reason"], found["address"]) == ("unauthorized", "127.0.0.1")
    [found] = await written(watched, event="operator_action", action=f"POST {path}")
    assert found.get("on") == ("user nobody" if path == "/disconnect" else None)


async def test_a_foreign_host(watched: Cluster) -> None:
    """A request for a host that is not this server's is an event."""
    headers = {**new_address(), "Host": "evil.example"}
    async with httpx.AsyncClient(base_url=watched.gateway_url(1)) as http:
        assert (await http.get("/chats/1", headers=headers)).status_code == 421
    [found] = await written(watched, event="host_refused", address=address_in(headers))
    assert found["host"] == "evil.example"


async def flood(cluster: Cluster, times: int, headers: dict[str, str]) -> None:
    """Be refused so often, over one connection."""
    address = {**headers, "Authorization": "Bearer nonsense"}
    async with httpx.AsyncClient(base_url=cluster.gateway_url(1), headers=address) as http:
        for _ in range(times // 50):
            await asyncio.gather(*(http.post("/tickets") for _ in range(50)))


async def test_one_script_cannot_push_others_out() -> None:
    """A script that is refused 5,000 times writes a few lines; what others do stands among them."""
    rates = {"RATE_LIMITS": "off", "TRUSTED_PROXIES": "127.0.0.1"}
    async with Cluster(env={**GUARDED, **rates}) as cluster:
        script, other = new_address(), new_address()
        await flood(cluster, 2500, script)
        async with enter("json", cluster.gateway_url(1), shown=pass_for("ann")) as ann:
            await ann.request("createRoom", {"name": "den"})
            await ann.request("ban", {"room": "den", "user": "eve"})
            await be_refused(cluster, other, REASONS["token_expired"])
            await flood(cluster, 2500, script)
        await written(cluster, event="ban", user="eve")
        await written(cluster, event="login_refused", address=address_in(other))
        of_script = lines(cluster, event="login_refused", address=address_in(script))
        assert 10 <= len(of_script) < 100

        cluster.kill("gateway-1", signal.SIGTERM)  # it writes at once what it does every 30 s

        async def summed_up() -> bool:
            found = lines(cluster, event="suppressed", address=address_in(script))
            left_out = sum(line["counts"]["login_refused"] for line in found)
            return bool(left_out == 5000 - len(of_script))

        await eventually(summed_up)

        async def logged() -> bool:
            return sum("security: login_refused" in line for line in cluster.lines) > len(of_script)

        await eventually(logged)
        # As log lines, too, and not twice.
        said = [line for line in cluster.lines if "security: login_refused" in line]
        assert len(said) == len(of_script) + 1
        assert len(trail_of(cluster).read_text()) < 50_000


async def test_the_file(watched: Cluster) -> None:
    """Only its user may read the file; every line is of the vocabulary, and a log line as well."""
    assert stat.S_IMODE(os.stat(trail_of(watched)).st_mode) == 0o600  # noqa: PTH116
    known = {event.kind(): event for event in EVENTS}
    headers = new_address()
    await be_refused(watched, headers, {})
    await written(watched, event="login_refused", address=address_in(headers))
    found = lines(watched)
    for line in found:
        fields = set(line) - {"v", "at", "process", "event"}
        assert fields <= set(known[line["event"]].__struct_fields__)
    # A command writes into the file alone.
    by_processes = sum(line["process"] != "persister" for line in found)

    async def said() -> bool:
        logged = (line.replace(" ", "") for line in watched.lines)
        return bool(sum('"logger":"security"' in line for line in logged) == by_processes)

    await eventually(said)
