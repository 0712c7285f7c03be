"""Handlers of sends: a message to a room, or to another user."""

import secrets
from itertools import count
from typing import Final

import msgspec
from msgspec import UNSET

from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.outcome import BackgroundReply, PendingSend
from gateway.api.targets import Target, no_such_chat
from gateway.protocols.payloads import AcceptedPayload, iso
from gateway.rooms.client import Client
from shared.broker.rooms.send import Accepted, Send
from shared.config.settings import SENT_CHARACTER_BYTES
from shared.errors import ChatError
from shared.model import commands
from shared.model.ids import chat_key
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room

_MESSAGE_ID_PREFIX: Final = secrets.token_urlsafe(9)
_message_numbers: Final = count()


def send_to_room(
    gateway: Gateway, client: Client, command: commands.SendMessage, target: Target
) -> PendingSend | BackgroundReply:
    """Send a message to a room that the client is in."""
    room = target.joined.room
    _check_length(gateway, command.content)
    client_msg_id = command.client_msg_id or _new_message_id()
    body = MessagePosted(client.display_name, command.content, client_msg_id)
    if command.client_msg_id and _may_be_sent(gateway, room, resend=command.resend):
        return _look_up(gateway, client, room, body, resend=command.resend)
    return _send_to_room(gateway, client, room, body)


def send_to_user(
    gateway: Gateway, client: Client, command: commands.SendChatMessage, _target: Target
) -> PendingSend | BackgroundReply:
    """Send a message to another user, at once if their chat is followed here already."""
    sender, receiver = str(command.sender_id), str(command.receiver_id)
    _check_length(gateway, command.content)
    client_msg_id = command.client_msg_id or _new_message_id()
    body = MessagePosted(sender, command.content, client_msg_id)
    local = gateway.rooms.hub.followed(chat_key(sender, receiver))
    # The sender has to be subscribed first, as it gets its own message as an event.
    is_subscribed = client.chats_subscribed or client.username is None
    if local is None or not is_subscribed or not _is_meant(local.room, command):
        return _find_and_send(gateway, client, command, body)
    if _needs_lookup(gateway, local.room, command):
        return _find_and_send(gateway, client, command, body)
    return _send_to_chat(gateway, client, local.room, command, body)


async def _look_up(
    gateway: Gateway, client: Client, room: Room, body: MessagePosted, *, resend: bool
) -> object:
    """Send a message unless SQL has it; it is ordered among other sends after the lookup."""
    if known := await gateway.rooms.directory.find_sent(room, body, resend=resend):
        return _accepted(gateway, client, room, known)
    return _send_to_room(gateway, client, room, body)


def _send_to_room(gateway: Gateway, client: Client, room: Room, body: MessagePosted) -> PendingSend:
    def reply(sent: Send) -> AcceptedPayload:
        return _accepted(gateway, client, room, sent.result())

    return PendingSend(
        gateway.rooms.publisher.send(room, body.sender, body.client_msg_id, body), reply
    )


def _is_meant(chat: Room, command: commands.SendChatMessage) -> bool:
    """Return False if a command names another chat of its pair than the one that is followed.

    Either may be the deleted one: the gateway learns of a deletion a moment after others.
    """
    return command.chat_id in (None, chat.id)


def _needs_lookup(gateway: Gateway, chat: Room, command: commands.SendChatMessage) -> bool:
    return bool(command.client_msg_id) and _may_be_sent(gateway, chat, resend=command.resend)


async def _find_and_send(
    gateway: Gateway, client: Client, command: commands.SendChatMessage, body: MessagePosted
) -> object:
    """Send a message to another user after finding or creating their chat."""
    await subscribe_to_chats(gateway, client)
    local = gateway.rooms.hub.followed(chat_key(body.sender, str(command.receiver_id)))
    is_meant = local is not None and _is_meant(local.room, command)
    chat = local.room if local and is_meant else await _follow_chat(gateway, command)
    if _needs_lookup(gateway, chat, command) and (
        known := await gateway.rooms.directory.find_sent(chat, body, resend=command.resend)
    ):
        return _accepted(gateway, client, chat, known)
    return _send_to_chat(gateway, client, chat, command, body)


async def _follow_chat(gateway: Gateway, command: commands.SendChatMessage) -> Room:
    """Find or create the chat of two users, and follow it, so that the sender gets its message.

    A command that names its chat creates none.

    Raises:
        ChatError: `not_found` if the chat that the command names was deleted.
    """
    sender, receiver = str(command.sender_id), str(command.receiver_id)
    directory = gateway.rooms.directory
    if command.chat_id is None:
        chat, _ = await directory.chat_of(sender, receiver)
    else:
        found = await directory.room(chat_key(sender, receiver))
        if found is None or found.id != command.chat_id:
            raise no_such_chat(command.chat_id)
        chat = found
    gateway.rooms.hub.follow(chat)
    return chat


def _send_to_chat(
    gateway: Gateway,
    client: Client,
    chat: Room,
    command: commands.SendChatMessage,
    body: MessagePosted,
) -> PendingSend:
    def reply(sent: Send) -> object:
        try:
            accepted = sent.result()
        except ChatError as error:
            if error.code != "not_found":
                raise
            if command.chat_id is not None:
                raise no_such_chat(command.chat_id) from None
            # The chat was deleted meanwhile, so the message begins a new one.
            return _send_to_new_chat(gateway, client, command, body)
        return _accepted(gateway, client, chat, accepted)

    return PendingSend(
        gateway.rooms.publisher.send(chat, body.sender, body.client_msg_id, body), reply
    )


async def _send_to_new_chat(
    gateway: Gateway, client: Client, command: commands.SendChatMessage, body: MessagePosted
) -> PendingSend:
    chat = await _follow_chat(gateway, command)
    return _send_to_chat(gateway, client, chat, command, body)


def _new_message_id() -> str:
    """Make a `clientMsgId`, unique in the cluster, for a send that came without one.

    With it, a script call that is repeated because its answer was lost accepts the send once.
    """
    return f"{_MESSAGE_ID_PREFIX}.{next(_message_numbers)}"


def _check_length(gateway: Gateway, content: str) -> None:
    """Check the length of a message, in characters and in bytes.

    Text in any language fits with its characters. What does not are control characters, with six
    bytes each: pages of history would have few messages because of them.

    Raises:
        ChatError: `too_long`.
    """
    settings, characters = gateway.settings, len(content)
    if characters > settings.max_content:
        raise ChatError("too_long", f"a message has at most {settings.max_content} characters")
    max_bytes = settings.max_content_bytes
    # The longest characters in JSON are escapes. Few messages are long enough to be looked at.
    if characters * SENT_CHARACTER_BYTES > max_bytes and _json_bytes(content) > max_bytes:
        raise ChatError("too_long", f"a message has at most {max_bytes} bytes in JSON")


def _json_bytes(content: str) -> int:
    """Return the bytes of a text in JSON, without its quotes."""
    return len(msgspec.json.encode(content)) - 2


def _may_be_sent(gateway: Gateway, room: Room, *, resend: bool) -> bool:
    """Return True if SQL may have a send that the broker does not remember."""
    return resend or gateway.cluster.watch.is_recently_reopened(room.key)


def _accepted(gateway: Gateway, client: Client, room: Room, sent: Accepted) -> AcceptedPayload:
    """Make the reply to a send, and request `durable` if the client wants it."""
    if client.durable:
        gateway.rooms.durability.notify_when_stored(client, room, sent)
    chat_id = room.id if room.kind == "direct" else UNSET
    return AcceptedPayload(sent.id, sent.seq, iso(sent.created_at), chat_id)
