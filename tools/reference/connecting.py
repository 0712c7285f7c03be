"""Texts about opening a connection, which no type of the gateway holds."""

from collections.abc import Mapping
from typing import Final

from gateway.access.identity import TICKET_SECONDS

QUERY: Final[Mapping[str, str]] = {
    "username": "Your user name. Only with `AUTH_MODE=open`; with `AUTH_MODE=jwt` it has to be the"
    " user that the token names.",
    "welcome": "`1`: the first event is `welcome`.",
    "durable": "`1`: the server sends `durable` once the database has what you sent.",
    "ticket": "A ticket from `POST /tickets`, instead of a token. Only with `AUTH_MODE=jwt`; it"
    f" works once, for {TICKET_SECONDS} s.",
}
"""The query parameters of `/ws`."""
