"""The first seed's vocabulary, spoken by npm's socket.io-client across two gateways."""

from tests.socketio.clients import Client, Node, Version
from tests.support.cluster import Cluster


async def pair(
    node: Node, cluster: Cluster, version: Version, transports: dict[str, object]
) -> tuple[Client, Client]:
    """Ann on gateway 1 and Bob on gateway 2, both through the load balancer."""
    ann = await node.connect_to(
        "gateway-1", cluster.url, version=version, query={"username": "ann"}, **transports
    )
    bob = await node.connect_to(
        "gateway-2", cluster.url, version=version, query={"username": "bob"}, **transports
    )
    return ann, bob


async def test_the_seeds_conversation(
    node: Node, cluster: Cluster, version: Version, transports: dict[str, object], room: str
) -> None:
    """Everything that the first seed's frontend emits and hears works across two gateways."""
    ann, bob = await pair(node, cluster, version, transports)
    ann.emit("createRoom", {"name": room, "password": ""})
    (created, *_) = await ann.event("roomCreated")
    assert (created["name"], created["protected"]) == (room, False)
    ann.emit("joinRoom", {"room": room, "username": "ann"})
    assert (await ann.event("messageHistory"))[0] == []
    assert (await ann.event("passwordStatus"))[0] is True
    bob.emit("joinRoom", {"room": room, "username": "bob"})
    assert (await bob.event("passwordStatus"))[0] is True
    await ann.notified("bob has joined the room")

    ann.emit("message", {"room": room, "content": "hello", "sender": "ann"})
    for client in (ann, bob):
        message = (await client.event("message"))[0]
        assert (message["content"], message["sender"], message["room"]) == ("hello", "ann", room)
        assert message["createdAt"].endswith("Z")
    bob.emit("typing", {"room": room, "username": "bob"})
    assert (await ann.event("typing"))[0] == "bob is typing..."
    assert (await ann.event("typing"))[0] == ""

    bob.emit("getRooms")
    assert {"name": room, "protected": False} in (await bob.event("rooms"))[0]
    bob.emit("deleteMessages", room)
    for client in (ann, bob):
        assert (await client.event("deleteMessages"))[0]["room"] == room
        await client.notified("All messages have been deleted")
    bob.emit("leaveRoom", {"room": room})
    await ann.notified("bob has left the room")
    bob.disconnect()
    await ann.notified("bob disconnected")
    assert "bob is typing..." not in bob.all("typing")
    ann.disconnect()


async def test_history_is_shown_to_who_joins(
    node: Node, cluster: Cluster, version: Version, room: str
) -> None:
    """Who joins gets what was said before, oldest first, also what a native client said."""
    ann, bob = await pair(node, cluster, version, {})
    await ann.ask("createRoom", {"name": room})
    await ann.ask("joinRoom", {"room": room})
    for n in range(3):
        await ann.ask("message", {"room": room, "content": str(n)})
    await bob.ask("joinRoom", {"room": room})
    shown = (await bob.event("messageHistory"))[0]
    assert [message["content"] for message in shown] == ["0", "1", "2"]


async def test_a_wrong_password_and_no_such_room_look_alike(
    node: Node, cluster: Cluster, version: Version, room: str
) -> None:
    """Both are `passwordStatus false` and a notification; with a callback the error as well."""
    ann, bob = await pair(node, cluster, version, {})
    created = await ann.ask("createRoom", {"name": room, "password": "sesame"})
    assert created["protected"] is True
    for wrong in ({"room": room, "password": "no"}, {"room": f"{room} not"}):
        bob.emit("joinRoom", wrong)
        assert (await bob.event("passwordStatus"))[0] is False
        await bob.notified("Invalid password")
        answer = await bob.ask("joinRoom", wrong)
        assert answer["error"]["code"] == "forbidden"
    assert not bob.all("exception")
    assert (await bob.ask("joinRoom", {"room": room, "password": "sesame"}))["room"] == room
