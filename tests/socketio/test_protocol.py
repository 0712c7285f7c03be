"""What socket.io-client offers beyond plain events: acknowledgements, binary, namespaces, auth."""

from tests.socketio.clients import Node, Version
from tests.support.cluster import Cluster


async def test_acknowledgements_are_replies(
    node: Node, cluster: Cluster, version: Version, transports: dict[str, object], room: str
) -> None:
    """A callback gets what a native client's reply says, or `{error}`; then no `exception`."""
    ann = await node.connect(cluster.url, version=version, auth={"username": "ann"}, **transports)
    assert (await ann.ask("createRoom", {"name": room}))["name"] == room
    assert (await ann.ask("createRoom", {"name": room}))["error"]["code"] == "room_exists"
    assert (await ann.ask("message", {"room": room, "content": "x"}))["error"] == {
        "code": "not_joined",
        "message": "join the room first",
        "retryable": False,
    }
    reply = await ann.ask("joinRoom", {"room": room})
    assert (reply["room"], reply["head"]) == (room, 0)
    sent = [
        await ann.ask("message", {"room": room, "content": "once", "clientMsgId": "m1"})
        for _ in range(2)
    ]
    assert sent[0] == sent[1]
    assert set(sent[0]) == {"id", "seq", "createdAt"}
    page = await ann.ask("history", {"room": room})
    assert [item["content"] for item in page["items"]] == ["once"]
    assert await ann.ask("getRooms") == {}
    assert await ann.ask("leaveRoom", room) == {}
    assert not ann.all("exception")
    ann.disconnect()


async def test_errors_without_a_callback(
    node: Node, cluster: Cluster, version: Version, room: str
) -> None:
    """Whatever is wrong with an event comes as `exception`, and the connection lives."""
    ann = await node.connect(cluster.url, version=version)
    wrong: list[tuple[str, tuple[object, ...], str]] = [
        ("nope", (), "unknown_event"),
        ("message", (), "bad_request"),
        ("message", ("bare",), "bad_request"),
        ("message", ({"room": room, "content": 7},), "bad_request"),
        ("message", ({"room": room, "content": "x"},), "not_joined"),
        ("joinRoom", ({"room": ""},), "bad_request"),
        ("getMessages", (2**60,), "bad_request"),
        ("x" * 300, ({},), "unknown_event"),
    ]
    for event, args, code in wrong:
        ann.emit(event, *args)
        (said, *_) = await ann.event("exception")
        assert (said["status"], said["code"], said["retryable"]) == ("error", code, False)
        assert said["message"]
    said = await ann.ask("getRooms", {"limit": 1}, "more", ["that", "says"], "nothing")
    assert said.keys() <= {"next"}
    ann.disconnect()


async def test_binary_where_none_is_expected(
    node: Node, cluster: Cluster, version: Version, transports: dict[str, object], room: str
) -> None:
    """Binary arguments are refused with a code, in an acknowledgement if there is one."""
    ann = await node.connect(cluster.url, version=version, **transports)
    await ann.ask("createRoom", {"name": room})
    await ann.ask("joinRoom", {"room": room})
    data = {"$binary": "AAEC/w=="}
    for argument in (data, {"room": room, "content": data}, {"room": room, "more": [data, data]}):
        assert (await ann.ask("message", argument))["error"]["code"] == "bad_request"
        ann.emit("message", argument)
        assert (await ann.event("exception"))[0]["code"] == "bad_request"
    assert (await ann.ask("message", {"room": room, "content": "text"}))["seq"] == 1
    ann.disconnect()


async def test_namespaces(node: Node, cluster: Cluster, version: Version) -> None:
    """There is one namespace; a client of any other is refused with the protocol's words."""
    other = node.begin(f"{cluster.url}/admin", version=version)
    assert (await other.next("connect_error"))["message"] == "Invalid namespace"
    other.disconnect()


async def test_who_one_is(node: Node, cluster: Cluster, version: Version, room: str) -> None:
    """The name may stand in the query or in the auth payload; a bad one is answered."""
    by_query = await node.connect(cluster.url, version=version, query={"username": "quentin"})
    by_auth = await node.connect(cluster.url, version=version, auth={"username": " autumn"})
    await by_auth.notified("autumn connected")
    await by_query.ask("createRoom", {"name": room})
    for client, name in ((by_query, "quentin"), (by_auth, "autumn")):
        await client.ask("joinRoom", {"room": room})
        await client.ask("message", {"room": room, "content": name})
        assert (await client.event("message"))[0]["sender"] == name
        assert (await client.ask("setUsername", "other"))["error"]["code"] == "forbidden"
        client.disconnect()
    for bad in ("\u2800", ["list"], {"a": 1}, 7, "x" * 200):
        client = await node.connect(cluster.url, version=version, auth={"username": bad})
        assert (await client.event("exception"))[0]["code"] == "bad_request"
        client.disconnect()


async def test_the_second_word(node: Node, cluster: Cluster, version: Version, room: str) -> None:
    """A client that asks for it in its auth payload hears when SQL has its messages."""
    ann = await node.connect(cluster.url, version=version, auth={"durable": True})
    await ann.ask("createRoom", {"name": room})
    await ann.ask("joinRoom", {"room": room})
    sent = await ann.ask("message", {"room": room, "content": "kept"})
    word = (await ann.event("durable"))[0]
    assert (word["room"], word["seq"]) == (room, sent["seq"])
    ann.disconnect()


async def test_what_native_clients_say_beside_the_data(
    node: Node, cluster: Cluster, version: Version, room: str
) -> None:
    """The room of an event is in its payload, or in an argument after it; the offset is last."""
    ann = await node.connect(cluster.url, version=version, auth={"username": "ann"})
    bob = await node.connect(cluster.url, version=version, auth={"username": "bob"})
    await ann.ask("createRoom", {"name": room})
    for client in (ann, bob):
        await client.ask("joinRoom", {"room": room})
    assert (await ann.event("messageHistory"))[:2] == [[], {"room": room}]
    assert await ann.event("passwordStatus") == [True, {"room": room}]
    assert (await ann.notified("bob has joined the room"))["room"] == room
    bob.emit("typing", {"room": room})
    text, place, offset = await ann.event("typing")
    assert (text, place) == ("bob is typing...", {"room": room})
    sent = await ann.ask("message", {"room": room, "content": "x"})
    await ann.ask("deleteMessage", sent["id"])
    await ann.ask("deleteMessages", room)
    places = [offset]
    for event in ("message", "messageDeleted", "deleteMessages"):
        payload, offset = await ann.event(event)
        assert payload["room"] == room
        places.append(offset)
    assert all(isinstance(offset, str) for offset in places)
    assert [int(offset.split(".")[-1]) for offset in places] == [0, 1, 2, 3]
    theirs = [(await bob.event(event))[-1] for event in ("message", "deleteMessages")]
    assert [offset.split(".")[2:] for offset in theirs] == [
        places[1].split(".")[2:],
        places[3].split(".")[2:],
    ]
    for client in (ann, bob):
        client.disconnect()
