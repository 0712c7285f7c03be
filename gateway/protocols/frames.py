"""What every format has in common: a frame that came in, and what goes out."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.protocols.websocket_frames import BINARY, TEXT, frame
from shared.errors import ChatError
from shared.model.commands import Command
from shared.model.ids import TOP
from shared.protocol.limits import MAX_EVENT_CHARACTERS, MAX_REQUEST_ID_CHARACTERS

RequestId = (
    Annotated[int, Meta(ge=-TOP, le=TOP)]
    | Annotated[str, Meta(max_length=MAX_REQUEST_ID_CHARACTERS)]
)


class Frame(msgspec.Struct, frozen=True):
    """A frame of a client, its data not yet looked at."""

    event: Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_CHARACTERS)]
    data: msgspec.Raw = msgspec.Raw(b"")
    id: RequestId | None = None


class Outgoing(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A frame for a client: an event, `reply` or `error`."""

    event: str
    room: str | UnsetType = UNSET
    chat_id: int | UnsetType = UNSET
    id: RequestId | UnsetType = UNSET
    data: Any = UNSET


class Format(Protocol):
    """A format on the wire."""

    name: str
    text: bool
    """Whether frames are text frames (UTF-8) or binary ones."""

    def parse(self, data: Any) -> Frame:  # noqa: ANN401 - what its transport hands over
        """Read a client's frame: bytes, or a packet that was read already.

        Raises:
            ChatError: `bad_frame`.
        """
        ...

    def command(self, frame: Frame, kind: type[Command]) -> Command:
        """Read the data of a frame as a command.

        Raises:
            ChatError: `bad_request`, or `too_long` for a frame within limits and a field not.
        """
        ...

    def encode(self, outgoing: Outgoing) -> bytes:
        """Write a frame's payload."""
        ...

    def pack(self, outgoing: Outgoing, offset: str = "") -> bytes:
        """Write a frame as it goes to the client: once for all clients of the format.

        Args:
            outgoing: the frame.
            offset: of an event; formats whose clients do not show offsets leave it out.
        """
        ...


class _Decoder(Protocol):
    def decode(self, data: Any, /) -> Any: ...  # noqa: ANN401 - msgspec's decoders take any buffer


class StructFormat:
    """A format that msgspec reads and writes: what JSON and MessagePack share."""

    def __init__(
        self,
        name: str,
        *,
        text: bool,
        nothing: bytes,
        decoder: Callable[..., _Decoder],
        encode: Callable[[Any], bytes],
    ) -> None:
        """Compose a format.

        Args:
            name: the WebSocket subprotocol.
            text: whether frames are text frames.
            nothing: how the format writes null, which missing data is taken for.
            decoder: makes a decoder of a type.
            encode: writes a value.
        """
        self.name = name
        self.text = text
        self._nothing = nothing
        self._opcode = TEXT if text else BINARY
        self._new_decoder = decoder
        self._frames = decoder(Frame)
        self._encode = encode
        self._decoders: dict[type[Command], _Decoder] = {}

    def parse(self, data: Any) -> Frame:  # noqa: ANN401 - as Format has it
        """Read a client's frame."""
        try:
            frame: Frame = self._frames.decode(data)
        except RecursionError:
            raise ChatError("bad_frame", "nested too deeply") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ChatError("bad_frame", _plain(error)) from None
        return frame

    def command(self, frame: Frame, kind: type[Command]) -> Command:
        """Read the data of a frame as a command."""
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = self._decoders[kind] = self._new_decoder(_accepted(kind))
        try:
            value = decoder.decode(bytes(frame.data) or self._nothing)
            return value if isinstance(value, kind) else _from_bare(value, kind)
        except RecursionError:
            raise ChatError("bad_request", "nested too deeply") from None
        except (msgspec.DecodeError, ValueError) as error:
            raise ChatError("bad_request", _plain(error)) from None

    def encode(self, outgoing: Outgoing) -> bytes:
        """Write a frame's payload."""
        return self._encode(outgoing)

    def pack(self, outgoing: Outgoing, offset: str = "") -> bytes:  # noqa: ARG002 - as Format has it
        """Write a frame of a WebSocket."""
        return frame(self._opcode, self._encode(outgoing))


def _accepted(kind: type[Command]) -> Any:  # noqa: ANN401 - a type expression
    if kind.bare is not None:
        bare = next(f for f in msgspec.structs.fields(kind) if f.name == kind.bare)
        return kind | bare.type
    if all(not field.required for field in msgspec.structs.fields(kind)):
        return kind | None
    return kind


def _from_bare(value: object, kind: type[Command]) -> Command:
    # The decoder has checked the value: it is of the field's type, or null for no fields at all.
    return kind() if kind.bare is None else kind(**{kind.bare: value})


def _plain(error: Exception) -> str:
    """The decoder's own words: a sentence, with the place where it stopped."""
    return str(error).replace(" - at `$", " - at `data") if str(error) else "not readable"
