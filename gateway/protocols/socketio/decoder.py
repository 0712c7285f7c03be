"""The decoder of Socket.IO 5 packets (socket.io/docs/v4/socket-io-protocol), without I/O.

It is strict: whatever the protocol does not allow is a `PacketError`, after which the connection is
closed. The exception is an event that asks for an acknowledgement: it is passed on with its fault,
so that its sender is answered. Arguments stay JSON, so that a handler can decode them as the type
that it expects.

The work for a packet is linear in its bytes, most of it in C, and begins with the namespace: what
is for one that is not served is not read further (decision 071).
"""

import re
from collections.abc import Container
from typing import Any, Final

import msgspec
from msgspec import Raw

from gateway.protocols.engineio.packets import Binary, PacketError
from gateway.protocols.half_pairs import replace_half_pairs
from gateway.protocols.socketio.packets import MAIN, RESERVED_EVENTS, Kind

MAX_ATTACHMENTS: Final = 10
"""Binary messages that a packet may have; the reference parser's limit."""

MAX_NAMESPACE_CHARACTERS: Final = 256
"""Characters that a namespace may have."""

MAX_NESTING_DEPTH: Final = 64
"""Levels that an argument of a packet with attachments may be nested: their places are searched for
by recursion. All other nesting is the JSON decoder's to judge."""

_PACKET: Final = re.compile(
    r"""(?P<kind>[0-6])
        (?:(?<=[56])(?P<attachments>[0-9]{1,3})-)?
        (?P<namespace>/[^,]*(?:,|\Z))?
        (?P<id>[0-9]{1,15}(?![0-9.]))?""",
    re.VERBOSE,
)
_arguments: Final = msgspec.json.Decoder(list[Raw])
_name: Final = msgspec.json.Decoder(str | int)
_object: Final = msgspec.json.Decoder(dict[str, Any])
_BINARY: Final = {Kind.BINARY_EVENT: Kind.EVENT, Kind.BINARY_ACK: Kind.ACK}


class SocketPacket(msgspec.Struct):
    """A packet of a client.

    Attributes:
        kind: the type; a binary event is an EVENT, a binary acknowledgement an ACK.
        namespace: the namespace, which begins with a slash.
        id: the id of the acknowledgement that the event asks for, or that this is.
        name: the name of an event.
        arguments: the arguments of an event or an acknowledgement, each in JSON.
        auth: the payload of a CONNECT, `{}` if it had none.
        attachments: the binary messages that the placeholders in the arguments stand for.
        fault: what is wrong with an event that has an id; empty if nothing is.
    """

    kind: Kind
    namespace: str = MAIN
    id: int | None = None
    name: str = ""
    arguments: list[Raw] = []
    auth: dict[str, Any] = {}
    attachments: list[Binary] = []
    fault: str = ""

    def values(self) -> list[Any]:
        """Return the arguments as Python values, with `Binary` in place of the placeholders.

        Raises:
            PacketError: an argument has a number that is out of range, or the placeholders do not
                name each attachment exactly once.
        """
        values = [_value(argument) for argument in self.arguments]
        if not self.attachments:
            return values
        _check_placeholders(values, len(self.attachments))
        return [_replace_placeholders(value, self.attachments) for value in values]


class Decoder:
    """Assembles the packets of one client from its Engine.IO messages."""

    __slots__ = ("_missing_attachments", "_partial", "_served")

    def __init__(self, served: Container[str] = (MAIN,)) -> None:
        """Create a decoder.

        Args:
            served: the namespaces that there are. A packet for another one is returned without
                anything but its kind and its namespace.
        """
        self._served = served
        self._partial: SocketPacket | None = None
        self._missing_attachments = 0

    def feed(self, message: str | Binary) -> SocketPacket | None:
        """Take an Engine.IO message.

        Args:
            message: a text, without the Engine.IO type; or an attachment.

        Returns:
            The packet that the message completes; None if attachments are missing.

        Raises:
            PacketError: the message is malformed or out of place. The connection is to be closed.
        """
        if isinstance(message, str):
            return self._text(message)
        packet = self._partial
        if packet is None:
            raise PacketError("a binary message that no packet announced")
        if not packet.fault:
            packet.attachments.append(message)
        self._missing_attachments -= 1
        if self._missing_attachments:
            return None
        self._partial = None
        return packet

    def _text(self, text: str) -> SocketPacket | None:
        if self._partial is not None:
            raise PacketError("a text where an attachment was to come")
        packet, attachments = _parse(text, self._served)
        if not attachments:
            return packet
        self._partial, self._missing_attachments = packet, attachments
        return None


def _parse(text: str, served: Container[str]) -> tuple[SocketPacket, int]:
    """Read the text of a packet; return it with the number of attachments that follow."""
    match = _PACKET.match(text)
    if match is None:
        raise PacketError("unknown packet type")
    kind = Kind(match["kind"])
    packet = SocketPacket(_BINARY.get(kind, kind), _namespace(match["namespace"]))
    if packet.namespace not in served:
        return packet, 0
    # Without a count of attachments, the digits may as well be that count.
    if match["id"] and (kind not in _BINARY or match["attachments"]):
        packet.id = int(match["id"])
    attachments = int(match["attachments"] or 0)
    try:
        if kind in _BINARY:
            _check_attachments(attachments)
        _read_payload(packet, text[match.end() :])
    except PacketError as error:
        if packet.kind is not Kind.EVENT or packet.id is None:
            raise
        packet.fault = str(error)
    return packet, attachments


def _namespace(found: str | None) -> str:
    if found is None:
        return MAIN
    namespace = found.removesuffix(",")
    if len(namespace) > MAX_NAMESPACE_CHARACTERS:
        raise PacketError("the namespace is too long")
    return namespace


def _read_payload(packet: SocketPacket, payload: str) -> None:
    match packet.kind:
        case Kind.EVENT | Kind.ACK:
            packet.arguments = _decode(_arguments, payload)
            _check_arguments(packet)
        case _ if packet.id is not None:
            raise PacketError("an acknowledgement id where none belongs")
        case Kind.CONNECT:
            packet.auth = _decode(_object, payload) if payload else {}
        case Kind.CONNECT_ERROR:
            raise PacketError("only the server refuses a connection")
        case _:
            if payload:
                raise PacketError("a payload where none belongs")


def _check_arguments(packet: SocketPacket) -> None:
    if packet.kind is Kind.ACK:
        if packet.id is None:
            raise PacketError("an acknowledgement without an id")
        return
    if not packet.arguments:
        raise PacketError("an event without a name")
    try:
        packet.name = str(_name.decode(packet.arguments.pop(0)))
    except msgspec.DecodeError:
        raise PacketError("not the name of an event") from None
    if packet.name in RESERVED_EVENTS:
        raise PacketError("not the name of an event")


def _decode(decoder: msgspec.json.Decoder[Any], text: str) -> Any:  # noqa: ANN401 - the decoder's type
    try:
        try:
            return decoder.decode(text)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Half a surrogate pair, as in a text that was cut inside an emoji, is valid JSON in
            # JavaScript, but no Python string for UTF-8. It becomes U+FFFD.
            if (mended := replace_half_pairs(text)) == text:
                raise
            return decoder.decode(mended)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise PacketError("invalid payload") from None


def _value(raw: Raw) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise PacketError("invalid payload") from None


def _check_attachments(count: int) -> None:
    if not 0 < count <= MAX_ATTACHMENTS:
        raise PacketError("illegal number of attachments")


def _check_placeholders(values: list[Any], attachments: int) -> None:
    """Refuse placeholders that do not name each attachment exactly once.

    With one attachment in many places a small packet would become a large value.
    """
    found: list[Any] = []
    _find_placeholders(values, found, MAX_NESTING_DEPTH)
    if any(type(number) is not int for number in found) or sorted(found) != [*range(attachments)]:
        raise PacketError("illegal attachments")


def _find_placeholders(value: Any, found: list[Any], depth: int) -> None:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            found.append(value.get("num"))
            return
        value = list(value.values())
    if isinstance(value, list):
        if not depth:
            raise PacketError("nested too deeply")
        for item in value:
            _find_placeholders(item, found, depth - 1)


def _replace_placeholders(value: Any, attachments: list[Binary]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            return attachments[value["num"]]
        return {key: _replace_placeholders(item, attachments) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace_placeholders(item, attachments) for item in value]
    return value
