"""A client as rooms and actions know it: its connection, and what is known of its user."""

from typing import NamedTuple, Protocol

from gateway.connections.connection import Connection
from shared.errors import ChatError


class PendingLogin(NamedTuple):
    """What a client that has not shown yet who it is said when it connected.

    Attributes:
        claims: the name that it says it has.
        welcome: whether it wants to be told where it is.
    """

    claims: str | None = None
    welcome: bool = False


class Recovery(Protocol):
    """What a client that can be brought back was told, in counts of this gateway's offsets.

    Attributes:
        last_direct_offset: the last offset that was written to this client alone.
        required_offset: the last offset that announced the end of a subscription. The session does
            not contain that subscription any more, so the client must have this event.
        replaced: it has come back on another connection.
    """

    last_direct_offset: int
    required_offset: int
    replaced: bool


class Client:
    """A client of this gateway. The hub knows its subscriptions.

    Attributes:
        connection: what it is told goes there.
        address: where it comes from, as the guard found out.
        username: the name bound to it; None until there is one.
        display_name: the same, or what stands for it.
        login: what it still has to prove; None once it has, or need not.
        durable: whether it wants to hear when SQL has its messages.
        online: whether it says that its user is online.
        hears_chats: whether it is subscribed to its user's direct chats.
        holds_chats: new subscriptions to chats wait, because what was before is on its way.
        recovery: of a client that can be brought back (Socket.IO); else None.
    """

    __slots__ = (
        "address",
        "chats_subscribed",
        "connection",
        "defers_chats",
        "display_name",
        "durable",
        "login",
        "online",
        "recovery",
        "username",
    )

    def __init__(self, connection: Connection, address: str = "") -> None:
        self.connection = connection
        self.address = address
        self.username: str | None = None
        self.display_name = ""
        self.take_over(connection.sid, None)
        self.login: PendingLogin | None = None
        self.durable = False
        self.online = False
        self.chats_subscribed = False
        self.defers_chats = False
        self.recovery: Recovery | None = None

    def take_over(self, sid: str, username: str | None) -> None:
        """Be whom a session was that is gone on with: its id and its name, if it has one."""
        self.connection.sid = sid
        self.username = username
        self.display_name = username or f"User {sid}"

    def bind(self, username: str) -> None:
        """Bind a name; the first one stays.

        Raises:
            ChatError: `forbidden` for another name than the client's own.
        """
        if self.username is None:
            self.username = self.display_name = username
        self.check_own(username)

    def check_own(self, username: str | None) -> None:
        """Refuse to act for somebody else; None is nobody else.

        Raises:
            ChatError: `forbidden`.
        """
        if username is None or username == self.username:
            return
        if username != self.display_name:
            raise ChatError("forbidden", "that is not the name of this connection")
