"""Engine.IO 4 over HTTP long-polling."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.protocols.conftest import BAD_REQUEST, UNKNOWN, Server
from tests.support.waiting import eventually

PATH = "/engine.io/"
ORIGIN = "https://chat.example"


async def test_handshake(strict: Server) -> None:
    """A GET without a sid opens a session; its times are in milliseconds."""
    opened = await strict.get(PATH)

    assert opened.status_code == 200
    assert opened.headers["content-type"].lower() == "text/plain; charset=utf-8"
    assert opened.headers["cache-control"] == "no-store"
    handshake = json.loads(opened.text.removeprefix("0"))
    assert handshake.pop("sid")
    assert handshake == {
        "upgrades": ["websocket"],
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": 1_000_000,
    }


@pytest.mark.parametrize(
    ("method", "query", "code", "message"),
    [
        ("GET", "EIO=4", 0, "Transport unknown"),
        ("GET", "EIO=4&transport=abc", 0, "Transport unknown"),
        ("GET", "EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown"),
        ("POST", "EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown"),
        ("POST", "EIO=4&transport=polling", 2, "Bad handshake method"),
        ("PUT", "EIO=4&transport=polling", 2, "Bad handshake method"),
        ("GET", "EIO=4&transport=websocket", 3, "Bad request"),
        ("GET", "transport=polling", 5, "Unsupported protocol version"),
        ("GET", "EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "EIO=abc&transport=polling", 5, "Unsupported protocol version"),
    ],
)
async def test_errors(calm: Server, method: str, query: str, code: int, message: str) -> None:
    """A request that is none of the protocol is a 400 with the protocol's code and text."""
    answer = await calm.http.request(method, f"{PATH}?{query}")

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"code": code, "message": message}


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("PUT", "EIO=4&transport=polling"),
        ("GET", "EIO=4&transport=websocket"),
        ("GET", "EIO=3&transport=polling"),
    ],
)
async def test_bad_requests_of_a_session(calm: Server, method: str, query: str) -> None:
    """What does not fit the session that it names is refused, and the session lives on."""
    sid = await calm.open(PATH)

    answer = await calm.http.request(method, f"{PATH}?{query}&sid={sid}")

    assert (answer.status_code, answer.json()) == (400, BAD_REQUEST)
    assert (await calm.post(PATH, sid, "4hello")).text == "ok"


@pytest.mark.parametrize(
    "payload",
    [
        "4hello",
        "4",
        "4test1\x1e4test2\x1e4test3",
        "4hello\x1ebAQIDBA==",
        "4h\u00e9llo \U0001f600",
        "b",
    ],
)
async def test_messages(calm: Server, payload: str) -> None:
    """A POST of packets is answered `ok`, and their echoes come with the next poll, in order."""
    sid = await calm.open(PATH)

    posted = await calm.post(PATH, sid, payload.encode())

    assert (posted.status_code, posted.text) == (200, "ok")
    assert await calm.poll(PATH, sid) == payload


async def test_messages_with_a_content_type(calm: Server) -> None:
    """The document's content type for payloads with binary is taken as well."""
    sid = await calm.open(PATH)

    headers = {"Content-Type": "application/octet-stream"}
    await calm.post(PATH, sid, "4hello\x1ebAQIDBA==", headers)

    assert await calm.poll(PATH, sid) == "4hello\x1ebAQIDBA=="


async def test_poll_that_waits(calm: Server) -> None:
    """A poll waits for a packet, whichever comes first."""
    sid = await calm.open(PATH)

    polled, posted = await asyncio.gather(calm.poll(PATH, sid), calm.post(PATH, sid, "4hello"))

    assert (polled, posted.text) == ("4hello", "ok")


@pytest.mark.parametrize(
    "body", [b"abc", b"", b"7", b"4a\x1e", b"b#", b"\xff", b"2", b"4\x1e" * 1000]
)
async def test_malformed_packets(calm: Server, body: bytes) -> None:
    """A POST with anything but packets in it, or a ping, is a 400 and ends the session."""
    sid = await calm.open(PATH)

    posted = await calm.post(PATH, sid, body)

    assert (posted.status_code, posted.json()) == (400, BAD_REQUEST)
    assert await calm.error(PATH, sid) == UNKNOWN


async def test_second_poll(calm: Server) -> None:
    """Of two polls at a time one is told to close, the other is a 400, and the session is gone."""
    sid = await calm.open(PATH)

    answers = await asyncio.gather(calm.get(PATH, sid=sid), calm.get(PATH, sid=sid))

    told = {answer.status_code: answer for answer in answers}
    assert told[200].text == "1"
    assert told[400].json() == BAD_REQUEST
    assert await calm.error(PATH, sid) == UNKNOWN


async def test_second_post(calm: Server) -> None:
    """Of two POSTs at a time the second is a 400, and the session is gone."""
    sid = await calm.open(PATH)
    second: list[httpx.Response] = []

    async def body() -> AsyncIterator[bytes]:
        yield b"4hel"
        # The server has the head of this request at the latest when it refuses another one.
        while not second or second[-1].status_code == 200:
            second.append(await calm.post(PATH, sid, "4x"))
        yield b"lo"

    first = await calm.post(PATH, sid, body())

    assert second[-1].status_code == 400
    assert first.status_code == 400
    assert await calm.error(PATH, sid) == UNKNOWN


async def test_cancelled_poll(calm: Server) -> None:
    """A client that hangs up on its poll has lost its session."""
    sid = await calm.open(PATH)
    async with httpx.AsyncClient(base_url=calm.http.base_url) as other:
        query = {"EIO": "4", "transport": "polling", "sid": sid}
        with pytest.raises(httpx.ReadTimeout):
            await other.get(PATH, params=query, timeout=httpx.Timeout(30, read=0.2))

    async def gone() -> bool:
        # A POST of its own, not a poll: that would end the session if it were still there.
        return (await calm.post(PATH, sid, "3")).status_code == 400

    await eventually(gone)
    assert await calm.error(PATH, sid) == UNKNOWN


@pytest.mark.parametrize("told", [True, False], ids=["told", "chunked"])
async def test_too_large(calm: Server, told: bool) -> None:  # noqa: FBT001 - a parameter
    """A POST beyond maxPayload is a 413, whether or not its length was told; the session lives."""
    sid = await calm.open(PATH)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"4" + b"x" * 999_999
        yield b"x"

    posted = await calm.post(PATH, sid, b"4" + b"x" * 1_000_000 if told else chunks())
    largest = "4" + "x" * 999_999
    taken = await calm.post(PATH, sid, largest)

    assert posted.status_code == 413
    assert taken.text == "ok"
    assert await calm.poll(PATH, sid) == largest


async def test_unread_packets_are_bounded(calm: Server) -> None:
    """A client that sends and never polls is closed before it costs much memory."""
    sid = await calm.open(PATH)
    answers = [(await calm.post(PATH, sid, "4" + "x" * 900_000)).status_code for _ in range(8)]

    assert answers[0] == 200
    assert answers[-1] == 400
    assert await calm.error(PATH, sid) == UNKNOWN


async def test_the_rest_of_a_body_is_no_header(calm: Server) -> None:
    """A request that is refused before all of it is there leaves its connection as good as new."""
    reader, writer = await asyncio.open_connection(*calm.address.split(":"))
    start, end = (
        f"{PATH}?EIO=4&transport=polling&sid=gone HTTP/1.1\r\nHost: {calm.address}\r\n",
        "\r\n",
    )
    size = 200_000
    writer.write(f"POST {start}Content-Length: {size}\r\n{end}x".encode())
    assert b" 400 " in await reader.readline()
    writer.write(b"x" * (size - 1) + f"GET {start}{end}".encode())
    async with asyncio.timeout(30):
        await reader.readuntil(b"HTTP/1.1 ")
        assert await reader.readexactly(3) == b"400"
    writer.close()


async def test_close(calm: Server) -> None:
    """A client that closes gets its poll back with a noop, and its session is gone."""
    sid = await calm.open(PATH)
    poll = asyncio.create_task(calm.get(PATH, sid=sid))
    # The echo answers a poll, and the next one is on its way before it is closed.
    await calm.post(PATH, sid, "4hello")
    assert (await poll).text == "4hello"

    async def closes() -> httpx.Response:
        return await calm.post(PATH, sid, "1")

    polled, closed = await asyncio.gather(calm.get(PATH, sid=sid), closes())

    assert closed.status_code == 200
    # Had the close overtaken the poll on its way, there would be no session left to poll.
    assert polled.text == "6" or polled.json() == UNKNOWN
    assert await calm.error(PATH, sid) == UNKNOWN


async def test_ping_and_pong(lively: Server) -> None:
    """A poll brings a ping each interval, as long as pongs come."""
    sid = await lively.open(PATH)

    for _ in range(3):
        assert await lively.poll(PATH, sid) == "2"
        assert (await lively.post(PATH, sid, "3")).status_code == 200


async def test_ping_timeout(strict: Server) -> None:
    """A client without a pong is told to close, and its session is gone."""
    sid = await strict.open(PATH)

    said = []
    while (answer := await strict.get(PATH, sid=sid)).status_code == 200:
        said.append(answer.text)

    # On a slow machine it may be over before the first poll.
    assert said in (["2", "1"], ["2"], [])
    assert answer.json() == UNKNOWN


async def test_preflight(calm: Server) -> None:
    """A page of any origin may ask with credentials, and is told so."""
    answer = await calm.http.options(
        PATH,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )

    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("query", ["EIO=4&transport=polling", "EIO=4&transport=abc"])
async def test_cross_origin_answers(calm: Server, query: str) -> None:
    """Answers and errors may be read by the page that asked, with its cookies or without."""
    answer = await calm.http.get(f"{PATH}?{query}", headers={"Origin": ORIGIN})

    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in answer.headers["vary"]


async def test_options_of_no_page(calm: Server) -> None:
    """An OPTIONS request that is no preflight has an empty answer."""
    assert (await calm.http.options(PATH)).status_code == 204
