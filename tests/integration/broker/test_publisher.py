"""Publishing: places, predecessors, and once."""

import asyncio

import pytest
from msgspec.structs import replace

from shared import codec
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.send import RoomNotHeld
from shared.broker.transport.pipe import Pipe
from shared.model.events import Event
from shared.model.formats import NEWEST
from shared.model.ids import counter_of, make_id
from shared.model.log_events import HistoryCleared, MessagePosted
from tests.integration.broker.bench import KEYS, PART, Bench, code_of
from tests.support.proxy import Proxy
from tests.support.waiting import HANGS_AFTER, eventually


async def test_places_are_one_two_three(bench: Bench) -> None:
    """In an epoch the events of a room have the places 1, 2, 3, and each names the one before."""
    room = await bench.make()
    sent = await asyncio.gather(*(bench.send(room, f"m{n}", f"text {n}") for n in range(300)))
    assert [accepted.seq for accepted in sent] == list(range(1, 301))
    log = await bench.log(room)
    assert [(event.seq, event.prev) for event in log] == [(n, n - 1) for n in range(1, 301)]
    assert [e.body.content for e in log if isinstance(e.body, MessagePosted)] == [
        f"text {n}" for n in range(300)
    ]
    assert (await bench.found()).head == 300


async def test_reply_says_what_the_log_says(bench: Bench) -> None:
    """The id, place and time of a reply are those in the log and in the stream."""
    room = await bench.make()
    accepted = await bench.send(room, "m1")
    [event] = await bench.log(room)
    _creation, (counter, streamed) = await bench.stream()
    assert event == streamed
    assert (event.id, event.seq, event.created_at) == (
        accepted.id,
        accepted.seq,
        accepted.created_at,
    )
    assert event.room_id == room.id
    assert counter_of(event.id) == counter
    assert not accepted.duplicate


async def test_ids_grow_over_all_rooms(bench: Bench) -> None:
    """The ids of a partition are its counter: one order for all its rooms, without holes."""
    one, two = await bench.make("one"), await bench.make("two")
    for n in range(10):
        await bench.send(one if n % 3 else two, f"m{n}")
    stream = await bench.stream()
    assert [counter for counter, _ in stream] == list(range(1, 13))
    assert [event.id for _, event in stream] == [make_id(n, 0) for n in range(1, 13)]


async def test_large_numbers_are_exact(bench: Bench) -> None:
    """Numbers of late epochs, where Lua would write 1e+15, are exact in ids and in replies."""
    start = 2**43 - 2**32
    await bench.reopen(2, start)
    room = await bench.make()
    accepted = await bench.send(room, "m1")
    assert room.id == make_id(start + 1, 0)
    assert accepted.id == make_id(start + 2, 0)
    [event] = await bench.log(room)
    assert (event.id, event.room_id) == (accepted.id, room.id)


@pytest.mark.parametrize("gateways", [1, 2])
async def test_once(bench: Bench, gateways: int) -> None:
    """The same clientMsgId, through one gateway or two at once, is one message, one reply."""
    room = await bench.make()
    publishers = [bench.publisher, bench.new_publisher()][:gateways]
    sends = [bench.send(room, f"m{n % 20}", via=p) for n in range(100) for p in publishers]
    replies = await asyncio.gather(*sends)
    assert len({(reply.id, reply.seq, reply.created_at) for reply in replies}) == 20
    assert sum(not reply.duplicate for reply in replies) == 20
    assert len(await bench.log(room)) == 20
    assert (await bench.found()).head == 20


async def test_what_a_newer_build_remembered_is_not_misread(bench: Bench) -> None:
    """A clientMsgId remembered in a format that this build does not read is left to SQL."""
    room = await bench.make()
    first = await bench.send(room, "m1")
    for key in PART.once:
        for name, head in (await bench.client.hgetall(key)).items():
            if name:
                later = head[:1] + bytes([NEWEST + 1]) + head[2:]
                await bench.client.hset(key, name, later)
    again = await bench.send(room, "m1")
    assert (again.duplicate, again.seq) == (False, first.seq + 1)
    assert (await bench.send(room, "m1")).duplicate


async def test_once_for_each_sender_and_room(bench: Bench) -> None:
    """The same clientMsgId of another sender, or in another room, is another message."""
    one, two = await bench.make("one"), await bench.make("two")
    replies = [
        await bench.publisher.send(room, name, "m1", MessagePosted(name, "x", "m1"))
        for room in (one, two)
        for name in ("ann", "bob")
    ]
    assert len({reply.id for reply in replies}) == 4
    assert [reply.seq for reply in replies] == [1, 2, 1, 2]


async def test_names_do_not_run_together(bench: Bench) -> None:
    """Sender and clientMsgId cannot be split in two ways that count as the same send."""
    room = await bench.make()
    for sender, msg_id in (("a", "1:b"), ("a:1", "b"), ("a:1:b", ""), ("", "a:1:b")):
        body = MessagePosted(sender, "x", msg_id)
        assert not (await bench.publisher.send(room, sender, msg_id, body)).duplicate


async def age(bench: Bench, periods: int) -> None:
    """Let what is remembered be older by some times DEDUPE_MINUTES."""
    last = int(await bench.client.hget(PART.record, "period"))
    (key,) = [key for key in PART.once if await bench.client.exists(key)]
    expires = await bench.client.pexpiretime(key) - periods * 3_600_000
    older = PART.once[(last - periods) % 2]
    if key != older:
        await bench.client.rename(key, older)
    await bench.client.pexpireat(older, expires)
    await bench.client.hset(PART.record, "period", last - periods)


async def test_forgotten_after_a_while(bench: Bench) -> None:
    """A clientMsgId is remembered for DEDUPE_MINUTES, and some time later it is forgotten."""
    room = await bench.make()
    first = await bench.send(room, "m1")
    await age(bench, 1)
    again = await bench.send(room, "m1")
    assert (again.duplicate, again.id, again.seq) == (True, first.id, first.seq)
    await age(bench, 1)
    assert not (await bench.send(room, "m1")).duplicate
    for key in PART.once:
        if await bench.client.exists(key):
            assert 3_600_000 < await bench.client.pttl(key) <= 3 * 3_600_000


async def test_remembered_though_the_clock_was_set_back(bench: Bench) -> None:
    """What was sent before the server's clock was set back is remembered when time goes on."""
    room = await bench.make()
    await bench.send(room, "m1")
    await age(bench, -2)
    assert (await bench.send(room, "m1")).duplicate
    await bench.send(room, "m2")
    assert (await bench.send(room, "m1")).duplicate


async def test_every_accepted_event_is_published(bench: Bench) -> None:
    """A room's channel brings every accepted event once, as the bytes of the log, in order."""
    room = await bench.make()
    pubsub = bench.client.pubsub()
    await pubsub.ssubscribe(PART.channel(room.key))
    await bench.fill(room, 5)
    await bench.send(room, "fill-0")
    received: list[Event] = []
    async with asyncio.timeout(HANGS_AFTER):
        while len(received) < 5:
            found = await pubsub.get_message(ignore_subscribe_messages=True, timeout=0.05)
            received += [codec.decode(found["data"])] if found else []
    assert received == await bench.log(room)
    await pubsub.aclose()


async def test_backlog_bound(bench: Bench) -> None:
    """At MAX_BACKLOG entries that SQL does not have, a send is refused, and no earlier."""
    room = await bench.make()
    sends = [bench.send(room, f"m{n}") for n in range(1005)]
    codes = await asyncio.gather(*map(code_of, sends))
    assert codes == ["no error"] * 999 + ["overloaded"] * 6  # the creation is an entry too
    assert await code_of(bench.send(room, "m3")) == "no error"  # known: costs no place
    assert await bench.owner.committed(0, 1, 10, {}, [])
    codes = [await code_of(bench.send(room, f"again{n}")) for n in range(11)]
    assert codes == ["no error"] * 10 + ["overloaded"]
    assert (await bench.found()).head == 1009


async def test_refused_sends_leave_no_trace(bench: Bench) -> None:
    """A send that was refused is not remembered: sent again later, it is accepted."""
    room = await bench.make()
    await asyncio.gather(*(bench.send(room, f"m{n}") for n in range(999)))
    assert await code_of(bench.send(room, "late")) == "overloaded"
    assert await bench.owner.committed(0, 1, 1000, {}, [])
    accepted = await bench.send(room, "late")
    assert (accepted.seq, accepted.duplicate) == (1000, False)


async def test_closed_partition(bench: Bench) -> None:
    """A closed partition accepts nothing and says so, retryable."""
    room = await bench.make()
    await bench.owner.close(0)
    assert await code_of(bench.send(room, "m1")) == "broker_unavailable"
    assert await bench.log(room) == []


async def test_other_server(bench: Bench) -> None:
    """After a restart of the server its partitions are closed until they are opened again."""
    room = await bench.make()
    await bench.send(room, "m1")
    await bench.server.restart()
    assert (await bench.owner.state(0)).epoch is None
    assert await code_of(bench.send(room, "m2")) == "broker_unavailable"
    assert await code_of(bench.rooms.find(room.key)) == "broker_unavailable"
    assert len(await bench.log(room)) == 1


async def test_promoted_server(bench: Bench) -> None:
    """A server that was a replica in between is not the one its partitions were opened on."""
    room = await bench.make()
    await bench.client.execute_command("REPLICAOF", "127.0.0.1", "1")
    await bench.client.execute_command("REPLICAOF", "NO", "ONE")
    assert await code_of(bench.send(room, "m1")) == "broker_unavailable"


async def test_room_not_held(bench: Bench) -> None:
    """A send to a room that the broker does not hold in this epoch says to open it first."""
    room = await bench.make()
    await bench.reopen(2, 10)
    with pytest.raises(RoomNotHeld):
        await bench.send(room, "m1")
    assert [event for _, event in await bench.stream() if event.seq] == []


async def test_room_with_another_id(bench: Bench) -> None:
    """A send to a room that was deleted and made again is not_found."""
    room = await bench.make()
    body = MessagePosted("ann", "x", "m1")
    remade = replace(room, id=room.id + 1024)
    sending = bench.publisher.send(remade, "ann", "m1", body)
    assert await code_of(sending) == "not_found"
    assert await bench.log(room) == []


async def test_one_bad_room_does_not_spoil_a_tick(bench: Bench) -> None:
    """Sends of one tick are judged one by one: what can be accepted is."""
    room = await bench.make()
    body = MessagePosted("ann", "x", "m1")
    good, absent, gone, good_too = (
        bench.publisher.send(room, "ann", "m1", body),
        bench.publisher.send(replace(room, key="r:nowhere", id=5), "ann", "m1", body),
        bench.publisher.send(replace(room, id=6), "ann", "m2", body),
        bench.publisher.send(room, "ann", "m3", body),
    )
    assert ((await good).seq, (await good_too).seq) == (1, 2)
    with pytest.raises(RoomNotHeld):
        await absent
    assert await code_of(gone) == "not_found"


async def test_clearing_raises_the_floor(bench: Bench) -> None:
    """A clearing takes a place and raises the room's floor to it."""
    room = await bench.make()
    await bench.fill(room, 3)
    cleared = await bench.publisher.send(room, "ann", "c", HistoryCleared("ann"))
    await bench.send(room, "after")
    found = await bench.found()
    assert (cleared.seq, found.floor, found.head) == (4, 4, 5)


async def test_scripts_lost(bench: Bench) -> None:
    """A server that forgot the scripts is given them again, and no send fails."""
    room = await bench.make()
    await bench.send(room, "m1")
    await bench.client.script_flush()
    assert (await bench.send(room, "m2")).seq == 2
    await bench.client.script_flush()
    assert (await bench.found()).head == 2


async def test_answer_lost(bench: Bench) -> None:
    """A send whose connection broke is asked again and is still one message."""
    room = await bench.make()
    sends = []
    for n in range(200):
        sends.append(asyncio.ensure_future(bench.send(room, f"m{n}")))
        if n % 20 == 0:
            await bench.server.admin.execute_command(
                "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "YES"
            )
    replies = await asyncio.gather(*sends)
    assert sorted(reply.seq for reply in replies) == list(range(1, 201))
    assert [event.seq for event in await bench.log(room)] == list(range(1, 201))


async def test_frozen_server(bench: Bench) -> None:
    """A send that a frozen server answers late, after it was asked again, is one message."""
    room = await bench.make()
    async with Proxy(bench.server.port) as proxy:
        pipe = Pipe(proxy.url, timeout=1)
        publisher = Publisher(pipe, KEYS, bench.fence, bench.settings)
        await bench.send(room, "m0", via=publisher)
        bench.server.pause()
        code = asyncio.create_task(code_of(bench.send(room, "m1", via=publisher)))

        async def asked_again() -> bool:
            return proxy.taken == 2

        try:
            await eventually(asked_again)
        finally:
            bench.server.resume()
        assert await code == "no error"
        pipe.close()
    assert (await bench.send(room, "m1")).seq == 2
    assert [event.seq for event in await bench.log(room)] == [1, 2]


async def test_server_that_stays_frozen(bench: Bench) -> None:
    """A server that answers nothing is broker_unavailable in the end; a resend is one message."""
    publisher = bench.new_publisher(timeout=0.2)
    room = await bench.make()
    bench.server.pause()
    try:
        assert await code_of(bench.send(room, "m1", via=publisher)) == "broker_unavailable"
    finally:
        bench.server.resume()
    assert (await bench.send(room, "m1", via=publisher)).seq == 1
    assert [event.seq for event in await bench.log(room)] == [1]


async def test_order_of_calls(bench: Bench) -> None:
    """Messages take their places in the order in which they were handed over."""
    room = await bench.make()
    sends = []
    for n in range(500):
        sends.append(asyncio.ensure_future(bench.send(room, f"m{n}")))
        if n % 50 == 0:
            await asyncio.sleep(0)
    assert [(await sent).seq for sent in sends] == list(range(1, 501))


async def test_close_waits_for_answers(bench: Bench) -> None:
    """Closing a publisher leaves no send without its answer."""
    room = await bench.make()
    body = MessagePosted("ann", "x", "m")
    sends = [bench.publisher.send(room, "ann", f"m{n}", body) for n in range(600)]
    settled: list[int] = []
    for send in sends:
        send.when_done(lambda sent: settled.append(sent.result().seq))
    await bench.publisher.close()
    assert len(settled) == 600
