"""Texts about opening a connection, which no type of the gateway holds."""

from collections.abc import Mapping
from typing import Final

QUERY: Final[Mapping[str, str]] = {
    "username": "Your user name. Only with `AUTH_MODE=open`; with `AUTH_MODE=jwt` it has to be the"
    " user that the token names.",
    "welcome": "`1`: the first event is `welcome`.",
    "durable": "`1`: the server sends `durable` once the database has what you sent.",
    "ticket": "A ticket from `POST /tickets`, instead of a token. Only with `AUTH_MODE=jwt`; it"
    " works once, for 30 s.",
}
"""The query parameters of `/ws`."""
