"""The guard of requests that act on an operator's port, such as `POST /drain`.

Looking is free there: who reaches the port may read its status page and its metrics. Acting needs
the operator's secret, and a request that no page of another origin made in somebody's browser.
Gateways and persisters serve their ports by different libraries, so this knows neither: it takes
the headers of a request, and gives the answer as a status and bytes.
"""

import hmac
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from shared.errors import ChatError
from shared.protocol.errors import Code
from shared.web.origins import is_own

Header = Callable[[str], str | None]
"""The value of a header by its name, in any case; None where the request has none."""

SAME_ORIGIN: Final = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of a request that no other site made; `none` is one that a person typed."""

STATUS: Final[dict[Code, HTTPStatus]] = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "too_long": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "broker_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "storage_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}


class Answer(NamedTuple):
    """The answer to a request that acts.

    Attributes:
        status: of HTTP.
        body: JSON.
        on: what it was done to, for the trail; None where the request tells.
        headers: besides those that every answer has, such as `Cache-Control`.
        error: code of the error that ended it, of which a part may have been done; None for none.
    """

    status: HTTPStatus
    body: bytes
    on: str | None = None
    headers: Mapping[str, str] = {}
    error: Code | None = None


def check_acting(secret: str, header: Header) -> None:
    """Check that the operator's secret comes with a request, and that no other origin made it.

    Args:
        secret: `OPERATOR_SECRET`; with an empty one nobody may act.
        header: gives the headers of the request.

    Raises:
        ChatError: `forbidden`, or `unauthorized` without the secret.
    """
    origin, site = header("origin"), header("sec-fetch-site")
    if (origin is not None and not is_own(origin, header("host") or "")) or (
        site is not None and site not in SAME_ORIGIN
    ):
        raise ChatError("forbidden", "pages of other origins may not act here")
    if not secret:
        raise ChatError("forbidden", "nobody may act here: OPERATOR_SECRET is not set")
    scheme, _, given = (header("authorization") or "").partition(" ")
    # Compared as bytes, as text outside ASCII is refused; in a time that tells nothing.
    same = hmac.compare_digest(given.strip().encode(errors="replace"), secret.encode())
    if scheme.lower() != "bearer" or not same:
        raise ChatError(
            "unauthorized", "send the operator's secret: `Authorization: Bearer SECRET`"
        )


def done(data: object, status: HTTPStatus = HTTPStatus.OK, on: str | None = None) -> Answer:
    """Make the answer to a request that was done.

    Args:
        data: what JSON can hold, such as a Struct.
        status: of HTTP.
        on: what it was done to, where the request does not tell.
    """
    return Answer(status, msgspec.json.encode(data), on)


def failed(error: ChatError) -> Answer:
    """Make the answer to a request that was refused or failed: `{code, message, retryable}`."""
    status = STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    body = msgspec.json.encode(error.payload())
    return Answer(status, body, headers=headers, error=error.code)
