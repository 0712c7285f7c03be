"""Who a connection is, with AUTH_MODE=jwt: whom a verified token or a ticket names, or a guest.

With AUTH_MODE=open a connection is whoever it says it is, and nothing here is asked.
"""

import secrets
import time
from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.access.keys import keys_of
from gateway.access.tokens import Bearer, Tokens
from shared.addresses import is_loopback
from shared.broker.sessions.tickets import TicketBroker
from shared.config import ConfigError, Settings
from shared.errors import ChatError

GUEST: Final = "guest-"
"""How the names of guests begin; a token cannot name such a one."""

TICKET_SECONDS: Final = 30
"""How long a ticket is good for."""

_JWT_ONLY: Final = ("jwt_key", "jwt_public_key", "jwt_jwks_url", "jwt_audience", "jwt_issuer")


def check_identity(settings: Settings) -> None:
    """Find out whether what is set about identity goes together.

    Raises:
        ConfigError: it does not.
    """
    if settings.auth_mode == "jwt":
        keys_of(settings)
        return
    for name in _JWT_ONLY:
        if getattr(settings, name):
            raise ConfigError(f"{name.upper()} is set, and AUTH_MODE is open: set AUTH_MODE=jwt")
    if settings.guests == "on":
        raise ConfigError("GUESTS=on is for AUTH_MODE=jwt: in open everybody says who they are")
    if settings.allow_open == "no" and not is_loopback(settings.host):
        raise ConfigError(
            f"HOST={settings.host} is open to other machines, and with AUTH_MODE=open anybody may"
            " be anybody: set AUTH_MODE=jwt, or ALLOW_OPEN=yes if that is meant"
        )


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization` header (RFC 6750); None where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def refuse_token_in_query(query: Mapping[str, str]) -> None:
    """Refuse a token in an address, in every mode: addresses are logged and passed on.

    Raises:
        ChatError: `unauthorized`.
    """
    if "token" in query:
        raise ChatError("unauthorized", "a token does not belong in an address: ask for a ticket")


def is_guest(user: str | None) -> bool:
    """Whether this is the name of a guest."""
    return user is not None and user.startswith(GUEST)


class Identity:
    """Finds out who connections and requests are from.

    Attributes:
        wanted: whether anybody has to show who they are.
        guests: whether somebody without a token is let in, under a name that is given to them.
    """

    def __init__(self, settings: Settings, tickets: TicketBroker) -> None:
        """Compose.

        Raises:
            ConfigError: the settings do not go together.
        """
        self.required = settings.auth_mode == "jwt"
        self.guests_allowed = settings.guests == "on"
        self._tokens = Tokens(settings, keys_of(settings)) if self.required else None
        self._tickets = tickets

    async def by_token(self, token: str) -> Bearer:
        """Whom a token names.

        Raises:
            ChatError: `unauthorized`; `bad_request` where nobody wants to know; `overloaded`.
        """
        if self._tokens is None:
            raise ChatError("bad_request", "tokens and tickets are for AUTH_MODE=jwt")
        bearer = await self._tokens.verify(token)
        if is_guest(bearer.user):
            raise ChatError("unauthorized", "the name in the token is one for guests")
        return bearer

    async def by_ticket(self, ticket: str) -> Bearer:
        """Whom a ticket lets in; it is used up by this.

        Raises:
            ChatError: `unauthorized`, `bad_request`, `broker_unavailable`.
        """
        if self._tokens is None:
            raise ChatError("bad_request", "tokens and tickets are for AUTH_MODE=jwt")
        kept = await self._tickets.take(ticket)
        if kept is None:
            raise ChatError("unauthorized", "the ticket is not valid, or was used before")
        bearer = msgspec.msgpack.decode(kept, type=Bearer)
        if not seconds_left(bearer):
            raise ChatError("unauthorized", "the token that the ticket was given for has expired")
        return bearer

    async def identify(
        self, query: Mapping[str, str], *, token: object, ticket: object
    ) -> Bearer | None:
        """Whom somebody who connects shows to be; None where they show nothing, or need not.

        Args:
            query: of the address they came to.
            token: anything that they may mean to be one; nothing is none.
            ticket: likewise.

        Raises:
            ChatError: `unauthorized`, `broker_unavailable`, `overloaded`.
        """
        refuse_token_in_query(query)
        if not self.required or not (token or ticket):
            return None
        return await (self.by_ticket(str(ticket)) if ticket else self.by_token(str(token)))

    async def ticket(self, bearer: Bearer) -> str:
        """A ticket that lets a bearer in once, through any gateway.

        Raises:
            ChatError: `broker_unavailable`.
        """
        ticket = secrets.token_urlsafe(32)
        await self._tickets.keep(ticket, msgspec.msgpack.encode(bearer), TICKET_SECONDS)
        return ticket

    def guest(self) -> Bearer:
        """A new guest, whose name does not expire."""
        return Bearer(f"{GUEST}{secrets.token_hex(6)}", float("inf"))

    def may_take_over(self, user: str | None, session_user: str | None) -> bool:
        """Whether a session may be taken over by whoever shows its secret.

        Args:
            user: who they are; None where they did not say.
            session_user: whose it is.
        """
        if not self.required:
            return user in {None, session_user}
        return user == session_user or (is_guest(user) and is_guest(session_user))


def seconds_left(bearer: Bearer) -> float:
    """How long a bearer's token is still good for."""
    return max(0.0, bearer.expires - time.time())
