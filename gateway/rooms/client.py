"""A client of this gateway: its connection, its user, and its state of login and recovery."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from gateway.access.guests import rate_subject
from gateway.access.tokens import Bearer
from gateway.connections.connection import Connection
from shared.errors import ChatError
from shared.trail import Source


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A client that has connected and has not proved who it is.

    Attributes:
        claims: the name that the client gave when it connected; None for none.
        welcome: True if the client asked for `welcome`.
        entering: is held while the client becomes a guest. A frame and the deadline may both want
            that; without it the guest would get one name, and its place and bans the other.
    """

    claims: str | None = None
    welcome: bool = False
    entering: asyncio.Lock = field(default_factory=asyncio.Lock)


class Recovery(Protocol):
    """Progress of a client that can be recovered, in counts of this gateway's offsets.

    Attributes:
        last_direct_offset: the last offset that was written to this client alone.
        required_offset: the last offset that announced the end of a subscription. The session does
            not contain that subscription any more, so the client must have this event.
        replaced: True if the client has connected again on another connection.
    """

    last_direct_offset: int
    required_offset: int
    replaced: bool


class Client:
    """A client of this gateway. The hub keeps its subscriptions.

    Attributes:
        connection: the connection that events are written to.
        address: the client's network address, as the guard determined it.
        proven: True if names are proven (`AUTH_MODE=jwt`).
        username: the name bound to the client; None until there is one.
        given_name: the name that the client gave for itself last, as it was typed; None for none.
        display_name: the username, or `User <sid>` without one.
        rate_subject: whom the client's rates count: its user, or for guests their address.
        login: the pending login; None once the client is logged in, or where it need not.
        bearer: the token that it has shown last; None where it need not.
        durable: True if the client asked for `durable` events.
        online: True if the client says that its user is online.
        chats_subscribed: True if the client is subscribed to its user's direct chats.
        defers_chats: True while events of newly followed chats wait for earlier ones.
        recovery: progress of a client that can be recovered (Socket.IO); else None.
    """

    __slots__ = (
        "address",
        "bearer",
        "chats_subscribed",
        "connection",
        "defers_chats",
        "display_name",
        "durable",
        "given_name",
        "login",
        "online",
        "proven",
        "rate_subject",
        "recovery",
        "username",
    )

    def __init__(self, connection: Connection, address: str = "", *, proven: bool = False) -> None:
        self.connection = connection
        self.address = address
        self.proven = proven
        self.username: str | None = None
        self.given_name: str | None = None
        self.take_over(connection.sid, None)
        self.login: PendingLogin | None = None
        self.bearer: Bearer | None = None
        self.durable = False
        self.online = False
        self.chats_subscribed = False
        self.defers_chats = False
        self.recovery: Recovery | None = None

    @property
    def is_guest(self) -> bool:
        """True for a guest, whose rates count by address."""
        return self.rate_subject != self.display_name

    @property
    def source(self) -> Source:
        """The source of its security events: its user if that is proved, else its address."""
        if self.proven and self.username is not None and not self.is_guest:
            return Source(user=self.username)
        return Source.at(self.address)

    @property
    def corrected_name(self) -> str | None:
        """The username, where the client gave it in another spelling; else None."""
        is_as_given = self.given_name is None or self.given_name == self.username
        return None if is_as_given else self.username

    def take_over(self, sid: str, username: str | None) -> None:
        """Take over the connection id, and the name if there is one, of a recovered session."""
        self.connection.sid = sid
        self._set_name(username)

    def bind(self, username: str) -> None:
        """Bind a name; the first one cannot be changed.

        Raises:
            ChatError: `forbidden` for another name than the client's own.
        """
        if self.username is None:
            self._set_name(username)
        self.check_own(username)

    def check_own(self, username: str | None) -> None:
        """Check that a name is the client's own; None means that no name was given.

        Raises:
            ChatError: `forbidden` for another name.
        """
        if username is None or username == self.username:
            return
        if username != self.display_name:
            raise ChatError("forbidden", "this connection has another name")

    def _set_name(self, username: str | None) -> None:
        self.username = username
        self.display_name = username or f"User {self.connection.sid}"
        self.rate_subject = rate_subject(self.display_name, self.address, proven=self.proven)
