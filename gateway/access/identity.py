"""Identity of connections and requests with AUTH_MODE=jwt: by token, by ticket, or as a guest.

With AUTH_MODE=open the server believes the name that a connection gives, and checks nothing here.
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from gateway.access.keys import FetchedKeys, keys_of
from gateway.access.revocations import Revocations
from gateway.access.tokens import Bearer, Tokens
from shared.broker.sessions.sessions import Claimant
from shared.broker.sessions.tickets import StoredTicket, TicketBroker
from shared.config import ConfigError, Settings
from shared.config.exposure import open_fault
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.trail import LoginError

GUEST_PREFIX: Final = "guest-"
"""Prefix of guests' names; a token cannot name a user with this prefix."""

TICKET_SECONDS: Final = 30
"""Seconds for which a ticket is valid."""

_JWT_ONLY: Final = (
    "jwt_key",
    "jwt_public_key",
    "jwt_jwks_url",
    "jwt_audience",
    "jwt_issuer",
    "jwt_user_claim",
    "jwt_max_hours",
)
"""Settings that do nothing with AUTH_MODE=open."""

_DEFAULTS: Final = Settings()

_encode: Final = msgspec.msgpack.encode
_ticket_decoder: Final = msgspec.msgpack.Decoder(tuple[str, float])
_more_decoder: Final = msgspec.msgpack.Decoder(tuple[str, float | None])


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
        if settings.jwt_jwks_url and not _is_for_us(settings):
            yield ConfigError(
                "JWT_JWKS_URL needs JWT_AUDIENCE or JWT_ISSUER: its keys may sign the tokens of"
                " other applications too; set ALLOW_ANY_AUDIENCE=yes if all of them may come in"
            )
        return
    for name in _JWT_ONLY:
        if getattr(settings, name) != getattr(_DEFAULTS, name):
            yield ConfigError(f"{name.upper()} is set, and AUTH_MODE is open: set AUTH_MODE=jwt")
    if settings.guests == "on":
        yield ConfigError("GUESTS=on needs AUTH_MODE=jwt: with AUTH_MODE=open any name is accepted")
    if settings.open_at and (fault := open_fault(settings, "HOST", settings.open_at)):
        yield fault


def _is_for_us(settings: Settings) -> bool:
    """Return True if tokens that were made for others are refused, or may come in."""
    named = settings.jwt_audience or settings.jwt_issuer
    return bool(named) or settings.allow_any_audience == "yes"


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an `Authorization` header (RFC 6750); None where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def refuse_token_in_query(query: Mapping[str, str]) -> None:
    """Refuse a token in a URL, in every mode: URLs end up in logs and referrers.

    Raises:
        LoginError: there is one.
    """
    if "token" in query:
        raise LoginError("token_in_url", "do not put a token into the URL: ask for a ticket")


def is_guest(user: str | None) -> bool:
    """Return True if the name is a guest's."""
    return user is not None and user.startswith(GUEST_PREFIX)


class Identity:
    """Identifies the users of connections and requests.

    Attributes:
        required: True if clients have to prove who they are (`AUTH_MODE=jwt`).
        guests_allowed: True if a client without a token is let in, under a generated name.
        keys_task: keeps the keys of tokens up to date; None where the settings have them.
    """

    def __init__(self, settings: Settings, tickets: TicketBroker, revocations: Revocations) -> None:
        """Prepare the verification of tokens, if it is required.

        Args:
            settings: how tokens are verified.
            tickets: keeps tickets.
            revocations: tells which tokens are revoked.

        Raises:
            ConfigError: the settings of keys are missing or contradict each other.
        """
        self.required = settings.auth_mode == "jwt"
        self.guests_allowed = settings.guests == "on"
        self._tokens: Tokens | None = None
        self.keys_task: PeriodicTask | None = None
        if self.required:
            keys = keys_of(settings)
            self._tokens = Tokens(settings, keys)
            self.keys_task = keys.task if isinstance(keys, FetchedKeys) else None
        self._tickets = tickets
        self._revocations = revocations

    async def by_token(self, token: str) -> Bearer:
        """Verify a token and return its bearer.

        Args:
            token: as a client gave it; it may begin with `Bearer `, as in a header.

        Raises:
            ChatError: `unauthorized`; `bad_request` with AUTH_MODE=open; `overloaded`;
                `storage_unavailable`.
        """
        if self._tokens is None:
            raise ChatError("bad_request", "tokens and tickets are for AUTH_MODE=jwt")
        bearer = await self._tokens.verify(bearer_token(token) or token)
        if is_guest(bearer.user):
            raise LoginError("name_reserved", "the name in the token is reserved for guests")
        self._revocations.check(bearer)
        return bearer

    async def by_ticket(self, ticket: str) -> Bearer:
        """Use up a ticket and return its bearer.

        Raises:
            ChatError: `unauthorized`, `bad_request`, `broker_unavailable`, `storage_unavailable`.
        """
        if self._tokens is None:
            raise ChatError("bad_request", "tokens and tickets are for AUTH_MODE=jwt")
        stored = await self._tickets.take(ticket)
        if stored is None:
            raise LoginError("ticket_invalid", "the ticket is not valid, or was used before")
        bearer = Bearer(*_ticket_decoder.decode(stored.bearer), *_read_more(stored.more))
        if not seconds_left(bearer):
            text = "the token that the ticket was given for has expired"
            raise LoginError("token_expired", text)
        self._revocations.check(bearer)
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
            ChatError: `unauthorized`, `broker_unavailable`, `overloaded`, `storage_unavailable`.
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
        stored = StoredTicket(_encode(bearer[:2]), _encode(bearer[2:]))
        await self._tickets.keep(ticket, stored, TICKET_SECONDS)
        return ticket

    def guest(self) -> Bearer:
        """Make a new guest, whose name does not expire."""
        return Bearer(f"{GUEST_PREFIX}{secrets.token_hex(6)}", float("inf"))

    def owner_name(self, user: str | None) -> str:
        """Return the name under which a user owns the rooms they create; empty for none.

        Guests and clients without a name own nothing: nobody will ever be them again.
        """
        return "" if user is None or (self.required and is_guest(user)) else user

    def claimant(self, user: str | None) -> Claimant:
        """Return whose sessions a client may take over, if it shows a session's secret.

        Args:
            user: the client's user; None where it gave no name.
        """
        if user is None:
            return Claimant("none" if self.required else "any")
        if self.required and is_guest(user):
            return Claimant("begins", GUEST_PREFIX)  # it gets another name with each connection
        return Claimant("is", user)


def _read_more(stored: bytes | None) -> tuple[str, float | None]:
    """Read the id and the time of a ticket's token; builds of before 2026-12 store neither."""
    return _more_decoder.decode(stored) if stored is not None else ("", None)


def seconds_left(bearer: Bearer) -> float:
    """Return the seconds until a bearer's token expires; 0.0 if it has."""
    return max(0.0, bearer.expires - time.time())
