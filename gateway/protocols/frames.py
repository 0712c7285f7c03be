"""Frames in and out, and the interface of a wire format, with what JSON and MessagePack share."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.protocols.half_pairs import replace_half_pairs
from gateway.protocols.reading import accepted_type, error_text, loose_type, read_leniently
from gateway.protocols.request_ids import RequestId, find_id, whole
from gateway.protocols.websocket_frames import BINARY, TEXT, frame
from shared.errors import ChatError
from shared.model.commands import Command
from shared.model.fields import UserId
from shared.protocol.limits import MAX_EVENT_CHARACTERS


class Frame(msgspec.Struct, frozen=True):
    """A frame of a client. Its data is decoded later, once its event is known."""

    event: Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_CHARACTERS)]
    data: msgspec.Raw = msgspec.Raw(b"")
    id: RequestId | None = None


class _FloatIdFrame(msgspec.Struct, frozen=True):
    """A frame whose id is a float."""

    event: Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_CHARACTERS)]
    id: float
    data: msgspec.Raw = msgspec.Raw(b"")


class Outgoing(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A frame for a client: an event, a `reply` or an `error`. `users` is of `typing` only."""

    event: str
    room: str | UnsetType = UNSET
    chat_id: int | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET
    data: Any = UNSET
    users: Sequence[UserId] | UnsetType = UNSET


class Format(Protocol):
    """A wire format: how frames are encoded."""

    name: str
    text: bool
    """True if frames are text frames (UTF-8), False if they are binary."""
    encode_value: Callable[[Any], bytes]
    """Encodes a value that is a part of a frame's data."""

    def parse(self, data: Any) -> Frame:  # noqa: ANN401 - bytes or a packet
        """Read a client's frame, from bytes or from a Socket.IO packet.

        Raises:
            ChatError: `bad_frame`; `bad_request` if only the frame's data is at fault.
        """
        ...

    def request_id(self, data: Any) -> RequestId | None:  # noqa: ANN401 - as `parse` takes it
        """Find the id of a frame that `parse` has refused; None if it cannot be read."""
        ...

    def command(self, frame: Frame, kind: type[Command]) -> Command:
        """Read the data of a frame as a command.

        Raises:
            ChatError: `bad_request`; `too_long` for a field that exceeds its limit.
        """
        ...

    def encode(self, outgoing: Outgoing) -> bytes:
        """Encode a frame, without a WebSocket header."""
        ...

    def pack(self, outgoing: Outgoing, offset: str = "") -> bytes:
        """Encode a frame with its WebSocket header, for all clients of the format.

        Args:
            outgoing: the frame.
            offset: the event's offset, which only Socket.IO frames carry.
        """
        ...


class _Decoder(Protocol):
    def decode(self, data: Any, /) -> Any: ...  # noqa: ANN401 - msgspec's decoders take any buffer


class StructFormat:
    """A format that msgspec reads and writes."""

    def __init__(
        self,
        name: str,
        *,
        text: bool,
        null: bytes,
        decoder: Callable[..., _Decoder],
        encode: Callable[[Any], bytes],
    ) -> None:
        """Create a format.

        Args:
            name: the WebSocket subprotocol.
            text: True for text frames, False for binary frames.
            null: the encoding of null, which stands for data that a frame does not have.
            decoder: makes a decoder for a type.
            encode: encodes a value.
        """
        self.name = name
        self.text = text
        self._null = null
        self._opcode = TEXT if text else BINARY
        self._new_decoder = decoder
        self._frames = decoder(Frame)
        self._float_id_frames = decoder(_FloatIdFrame)
        self.encode_value = self._encode = encode
        self._decoders: dict[type[Command], _Decoder] = {}
        self._loose_decoders: dict[type[Command], _Decoder] = {}

    def parse(self, data: Any) -> Frame:  # noqa: ANN401 - as Format has it
        """Read a client's frame."""
        try:
            try:
                frame: Frame = self._frames.decode(data)
            except msgspec.ValidationError as error:
                frame = self._with_whole_id(data, error)
        except RecursionError:
            raise ChatError("bad_frame", "nested too deeply") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if self._is_fault_in_data(data):
                text = "a text has half of a surrogate pair: a character was cut in two"
                raise ChatError("bad_request", text) from None
            raise ChatError("bad_frame", error_text(error)) from None
        return frame

    def _is_fault_in_data(self, data: Any) -> bool:  # noqa: ANN401 - as `parse` takes it
        """Return True for a JSON frame that only has halves of surrogate pairs in its `data`."""
        if not self.text:
            return False
        text = bytes(data).decode(errors="replace")
        if (mended := replace_half_pairs(text)) == text:
            return False
        try:
            frame: Frame = self._frames.decode(mended.encode())
        except (msgspec.DecodeError, RecursionError):
            return False
        return "\ufffd" not in f"{frame.event}{frame.id}"

    def _with_whole_id(self, data: Any, refusal: msgspec.ValidationError) -> Frame:  # noqa: ANN401 - as `parse` takes it
        """Read a refused frame whose id is a float that stands for an integer, such as 1.0."""
        try:
            found: _FloatIdFrame = self._float_id_frames.decode(data)
        except msgspec.ValidationError:
            raise refusal from None
        request_id = whole(found.id)
        if isinstance(request_id, float):
            raise refusal
        return Frame(found.event, found.data, request_id)

    def request_id(self, data: Any) -> RequestId | None:  # noqa: ANN401 - as Format has it
        """Find the id of a frame that `parse` has refused."""
        return find_id(data)

    def command(self, frame: Frame, kind: type[Command]) -> Command:
        """Read the data of a frame as a command."""
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = self._decoders[kind] = self._new_decoder(accepted_type(kind))
        try:
            data = bytes(frame.data) or self._null
            try:
                value = decoder.decode(data)
            except msgspec.ValidationError as error:
                if error.__cause__ is not None:
                    raise  # by the check of a command: all fields have their types
                value = self._read_leniently(data, kind, error)
            return value if isinstance(value, kind) else _from_bare(value, kind)
        except RecursionError:
            raise ChatError("bad_request", "nested too deeply") from None
        except (msgspec.DecodeError, ValueError) as error:
            raise ChatError("bad_request", error_text(error, "data")) from None

    def _read_leniently(self, data: bytes, kind: type[Command], refusal: Exception) -> Any:  # noqa: ANN401 - as accepted
        decoder = self._loose_decoders.get(kind)
        if decoder is None:
            decoder = self._loose_decoders[kind] = self._new_decoder(loose_type(kind))
        try:
            loose = msgspec.to_builtins(decoder.decode(data))
        except msgspec.DecodeError:
            raise refusal from None  # such as a number out of range, in whatever field
        return read_leniently(loose, accepted_type(kind))

    def encode(self, outgoing: Outgoing) -> bytes:
        """Encode a frame, without a WebSocket header."""
        return self._encode(outgoing)

    def pack(self, outgoing: Outgoing, offset: str = "") -> bytes:  # noqa: ARG002 - as Format has it
        """Encode a frame with its WebSocket header."""
        return frame(self._opcode, self._encode(outgoing))


def _from_bare(value: object, kind: type[Command]) -> Command:
    # The decoder has checked that the value has the type of the bare field, or is null.
    return kind() if kind.bare is None else kind(**{kind.bare: value})
