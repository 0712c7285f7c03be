"""Identity of connections and requests with AUTH_MODE=jwt: by token, by ticket, or as a guest.

With AUTH_MODE=open the server believes the name that a connection gives, and checks nothing here.
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from gateway.access.keys import keys_of
from gateway.access.tokens import Bearer, Tokens
from shared.addresses import is_loopback
from shared.broker.sessions.tickets import TicketBroker
from shared.config import ConfigError, Settings
from shared.errors import ChatError

GUEST_PREFIX: Final = "guest-"
"""Prefix of guests' names; a token cannot name a user with this prefix."""

TICKET_SECONDS: Final = 30
"""Seconds for which a ticket is valid."""

_JWT_ONLY: Final = ("jwt_key", "jwt_public_key", "jwt_jwks_url", "jwt_audience", "jwt_issuer")


def check_identity(settings: Settings) -> None:
    """Check that the settings of identity are complete and do not contradict each other.

    Raises:
        ConfigError: a setting is missing, not valid, or contradicts another.
    """
    for fault in identity_faults(settings):
        raise fault


def identity_faults(settings: Settings) -> Iterator[ConfigError]:
    """Everything that is wrong with the settings of identity."""
    if settings.auth_mode == "jwt":
        try:
            keys_of(settings)
        except ConfigError as error:
            yield error
        return
    for name in _JWT_ONLY:
        if getattr(settings, name):
            yield ConfigError(f"{name.upper()} is set, and AUTH_MODE is open: set AUTH_MODE=jwt")
    if settings.guests == "on":
        yield ConfigError("GUESTS=on needs AUTH_MODE=jwt: with AUTH_MODE=open any name is accepted")
    if settings.allow_open == "no" and not is_loopback(settings.host):
        yield ConfigError(
            f"HOST={settings.host} is open to other machines, and with AUTH_MODE=open anyone can"
            " use any name: set AUTH_MODE=jwt, or ALLOW_OPEN=yes if you want that"
        )


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an `Authorization` header (RFC 6750); None where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def refuse_token_in_query(query: Mapping[str, str]) -> None:
    """Refuse a token in a URL, in every mode: URLs end up in logs and referrers.

    Raises:
        ChatError: `unauthorized`.
    """
    if "token" in query:
        raise ChatError("unauthorized", "do not put a token into the URL: ask for a ticket")


def is_guest(user: str | None) -> bool:
    """Return True if the name is a guest's."""
    return user is not None and user.startswith(GUEST_PREFIX)


class Identity:
    """Identifies the users of connections and requests.

    Attributes:
        required: True if clients have to prove who they are (`AUTH_MODE=jwt`).
        guests_allowed: True if a client without a token is let in, under a generated name.
    """

    def __init__(self, settings: Settings, tickets: TicketBroker) -> None:
        """Prepare the verification of tokens, if it is required.

        Raises:
            ConfigError: the settings of keys are missing or contradict each other.
        """
        self.required = settings.auth_mode == "jwt"
        self.guests_allowed = settings.guests == "on"
        self._tokens = Tokens(settings, keys_of(settings)) if self.required else None
        self._tickets = tickets

    async def by_token(self, token: str) -> Bearer:
        """Verify a token and return its bearer.

        Raises:
            ChatError: `unauthorized`; `bad_request` with AUTH_MODE=open; `overloaded`.
        """
        if self._tokens is None:
            raise ChatError("bad_request", "tokens and tickets are for AUTH_MODE=jwt")
        bearer = await self._tokens.verify(token)
        if is_guest(bearer.user):
            raise ChatError("unauthorized", "the name in the token is reserved for guests")
        return bearer

    async def by_ticket(self, ticket: str) -> Bearer:
        """Use up a ticket and return its bearer.

        Raises:
            ChatError: `unauthorized`, `bad_request`, `broker_unavailable`.
        """
        if self._tokens is None:
            raise ChatError("bad_request", "tokens and tickets are for AUTH_MODE=jwt")
        stored = await self._tickets.take(ticket)
        if stored is None:
            raise ChatError("unauthorized", "the ticket is not valid, or was used before")
        bearer = msgspec.msgpack.decode(stored, type=Bearer)
        if not seconds_left(bearer):
            raise ChatError("unauthorized", "the token that the ticket was given for has expired")
        return bearer

    async def identify(
        self, query: Mapping[str, str], *, token: object, ticket: object
    ) -> Bearer | None:
        """Return the bearer that a connecting client proves to be.

        Returns:
            None where the client proves nothing, or need not (`AUTH_MODE=open`).

        Args:
            query: of the URL that the client connects to.
            token: as the client sent it, of any type; an empty value counts as none.
            ticket: as the client sent it, of any type; an empty value counts as none.

        Raises:
            ChatError: `unauthorized`, `broker_unavailable`, `overloaded`.
        """
        refuse_token_in_query(query)
        if not self.required or not (token or ticket):
            return None
        return await (self.by_ticket(str(ticket)) if ticket else self.by_token(str(token)))

    async def ticket(self, bearer: Bearer) -> str:
        """Make a ticket that lets a bearer in once, through any gateway.

        Raises:
            ChatError: `broker_unavailable`.
        """
        ticket = secrets.token_urlsafe(32)
        await self._tickets.keep(ticket, msgspec.msgpack.encode(bearer), TICKET_SECONDS)
        return ticket

    def guest(self) -> Bearer:
        """Make a new guest, whose name does not expire."""
        return Bearer(f"{GUEST_PREFIX}{secrets.token_hex(6)}", float("inf"))

    def owner_name(self, user: str | None) -> str:
        """Return the name under which a user owns the rooms they create; empty for none.

        Guests and clients without a name own nothing: nobody will ever be them again.
        """
        return "" if user is None or (self.required and is_guest(user)) else user

    def may_take_over(self, user: str | None, session_user: str | None) -> bool:
        """Return True if a client that shows a session's secret may take the session over.

        Args:
            user: the client's user; None where it gave no name.
            session_user: the session's user; None for a session without a name.
        """
        if not self.required:
            return user in {None, session_user}
        return user == session_user or (is_guest(user) and is_guest(session_user))


def seconds_left(bearer: Bearer) -> float:
    """Return the seconds until a bearer's token expires; 0.0 if it has."""
    return max(0.0, bearer.expires - time.time())
