"""The second seed's vocabulary, spoken by npm's socket.io-client across two gateways."""

from itertools import count

from tests.socketio.clients import Client, Node, Version
from tests.support.cluster import Cluster

_users = count(1000)


async def people(
    node: Node, cluster: Cluster, version: Version, transports: dict[str, object]
) -> tuple[Client, int, Client, int]:
    """A client of gateway 1 and one of gateway 2, and the ids of two new users."""
    one = await node.connect_to("gateway-1", cluster.url, version=version, **transports)
    other = await node.connect_to("gateway-2", cluster.url, version=version, **transports)
    return one, next(_users), other, next(_users)


async def test_the_seeds_conversation(
    node: Node, cluster: Cluster, version: Version, transports: dict[str, object]
) -> None:
    """Everything that the second seed's frontend emits and hears works across two gateways."""
    ann, one, bob, two = await people(node, cluster, version, transports)
    ann.emit("userOnline", one)
    bob.emit("userOnline", two)
    for client in (ann, bob):
        while not {one, two} <= set((await client.event("onlineUsers"))[0]):
            pass
    ann.emit("createChat", {"user1Id": one, "user2Id": two})
    chat = (await ann.event("newChat"))[0]
    assert (chat["user1Id"], chat["user2Id"]) == (one, two)
    assert (await bob.event("newChat"))[0]["id"] == chat["id"]

    ann.emit("sendMessage", {"senderId": one, "receiverId": two, "content": "hello"})
    for client in (ann, bob):
        message = (await client.event("newMessage"))[0]
        assert (message["senderId"], message["receiverId"]) == (one, two)
        assert (message["content"], message["seen"]) == ("hello", False)
        assert message["chatId"] == chat["id"]
    bob.emit("markAsSeen", {"messageId": message["id"]})
    seen = (await ann.event("messageSeen"))[0]
    assert (seen["messageId"], seen["seen"]) == (message["id"], True)

    bob.emit("getChats", two)
    listed = (await bob.event("chatsList"))[0]
    assert [(item["id"], item["unread"]) for item in listed] == [(chat["id"], 0)]
    bob.emit("getMessages", chat["id"])
    loaded = (await bob.event("loadMessages"))[0]
    assert [(item["content"], item["seen"]) for item in loaded] == [("hello", True)]
    bob.emit("typing", {"chatId": chat["id"]})
    text, place, *_ = await ann.event("typing")
    assert (text, place) == (f"{two} is typing...", {"chatId": chat["id"]})
    ann.emit("deleteMessage", message["id"])
    for client in (ann, bob):
        gone = (await client.event("messageDeleted"))[0]
        assert (gone["messageId"], gone["chatId"]) == (message["id"], chat["id"])
    bob.emit("userOffline", two)
    while two in (await ann.event("onlineUsers"))[0]:
        pass
    ann.disconnect()
    bob.disconnect()


async def test_who_comes_online_hears_of_unread(
    node: Node, cluster: Cluster, version: Version
) -> None:
    """Who comes online gets the chats with unread messages."""
    ann, one, bob, two = await people(node, cluster, version, {})
    await ann.ask("userOnline", one)
    sent = await ann.ask("sendMessage", {"senderId": one, "receiverId": two, "content": "hi"})
    bob.emit("userOnline", two)
    listed = (await bob.event("chatsList"))[0]
    assert [(chat["id"], chat["unread"]) for chat in listed] == [(sent["chatId"], 1)]
