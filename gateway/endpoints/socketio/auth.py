"""The fields by which a Socket.IO client says who it is and what it wants, as it connects."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.errors import ChatError

TRUE_VALUES: Final = (True, 1, "1")
"""The values that count as true, in `auth` or in a query."""

Scalar = str | int | float | bool | None
"""A value that may be shown as a text: nested ones may be large, or nested too deeply for that."""


class Auth(msgspec.Struct, frozen=True):
    """The known fields of a CONNECT's payload or of the query. Others are ignored.

    Attributes:
        username: the user's name, where users are not authenticated.
        token: proves who the user is; refused in a query.
        ticket: proves who the user is, once.
        welcome: asks for the `welcome` event; "1" in a query.
        durable: asks for `durable` events; "1" in a query.
        pid: the id of the session to recover.
        offset: the offset of the last event that the client got in that session.
    """

    username: Scalar = None
    token: Scalar = None
    ticket: Scalar = None
    welcome: Any = None
    durable: Any = None
    pid: Annotated[str, Meta(max_length=64)] | None = None
    offset: Any = None


def read_auth(payload: dict[str, Any]) -> Auth:
    """Read the fields of a CONNECT's payload and of the query.

    Raises:
        ChatError: `bad_request`.
    """
    try:
        return msgspec.convert(payload, Auth)
    except msgspec.ValidationError as error:
        raise ChatError("bad_request", f"auth: {error}") from None
