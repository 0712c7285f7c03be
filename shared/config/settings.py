"""The settings of gateways and persisters."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.addresses import Networks, is_loopback
from shared.config.errors import ConfigError
from shared.config.paths import FilePath
from shared.config.secrets import SecretKeys, check_operator_secret
from shared.protocol.limits import (
    DEFAULT_CONTENT_CHARACTERS,
    DEFAULT_FRAME_BYTES,
    MAX_CONTENT_BYTES_PER_CHARACTER,
    MAX_CONTENT_CHARACTERS,
    MAX_PAGE_BYTES,
    MAX_PAGE_ITEMS,
)
from shared.rates import Rate
from shared.web.hosts import PublicUrls
from shared.web.origins import Origins

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(ge=0.1, le=10**8)]
Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]

DATABASE_FILE = "parley.db"
"""The SQLite file in DATA_DIR."""

MAX_PARTITIONS = 1024
"""An id keeps ten bits for its partition, so there cannot be more of them."""

MAX_BACKLOG_LIMIT = 999_999
"""The highest MAX_BACKLOG; the gap between epochs (`FENCE_GAP`) is above it."""

MAX_GUESTS = 1000
"""The highest GUESTS_PER_ADDRESS: the broker goes through all guests of an address for each."""

RECEIVED_CHARACTER_BYTES = 12
"""Bytes of a character in the longest form of JSON: two escapes, for one outside the BMP."""

SENT_CHARACTER_BYTES = 6
"""Bytes of a character in the longest form that a gateway writes: an escape, for a control one.

A message that was accepted before `MAX_CONTENT_BYTES_PER_CHARACTER` may consist of these.
"""

OTHER_FIELDS_BYTES = 8192
"""Bytes for the other fields of a message, in either direction: names, ids and what joins them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """Settings of gateways and persisters, named as in the environment.

    The text below each is what `docs/reference/settings.md` says of it.
    """

    host: str = "127.0.0.1"
    """Address that a gateway listens on."""
    port: Port = 8080
    """Port of a gateway."""
    admin_host: str = "127.0.0.1"
    """Address that the operator's port listens on."""
    admin_port: Port | None = None
    """Port of the operator's status page and metrics. Not given: they are not served."""
    operator_secret: str = ""
    """Secret of at least 32 characters that lets an operator act on the operator's port, as by
    `POST /drain`. Not given: nobody may."""
    balancer_host: str = ""
    """Address that the load balancer in front of a gateway listens on. A cluster gives its own."""
    public_url: PublicUrls = PublicUrls.parse("")
    """URLs by which people reach the server, separated by commas, such as
    `https://chat.example.org`. Requests for other hosts are refused, except for loopback names. Not
    given: where a server is open to other machines, also for all addresses, but for no name."""
    tls_cert: FilePath = FilePath("")
    """Path of a certificate chain (PEM). With it a gateway serves https and wss only."""
    tls_key: FilePath = FilePath("")
    """Path of the certificate's key (PEM). It may be in the file of the certificate."""
    gateway_name: Name = "gateway"
    """Name of the gateway, unique in the installation."""
    persister_name: Name = "persister"
    """Name of the persister, unique in the installation."""
    data_dir: FilePath = FilePath(".cluster")
    """Folder of the SQLite file, where `DATABASE_URL` is not given."""
    redis_url: str = "redis://127.0.0.1:8580"
    """Address of the Redis or Valkey server: `redis://`, `rediss://` (TLS) or `unix://`."""
    database_url: str = ""
    """Address of the database, `sqlite://`, `postgresql://` or `postgres://`. Not given: the SQLite
    file `parley.db` in `DATA_DIR`."""
    namespace: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{0,64}\Z")] = ""
    """Prefix of all keys and channels in Redis, fixed for the life of the data. Not given: that of
    the data; new data gets a random one."""
    partitions: Annotated[int, Meta(ge=1, le=MAX_PARTITIONS)] | None = None
    """Number of partitions, fixed for the life of the data. Not given: that of the data; new data
    gets 8."""
    write_format: Annotated[int, Meta(ge=2)] | None = None
    """Newest format of data to write, to keep a way back to an older version. Not given: the newest
    that all running processes read."""
    log_length: Annotated[int, Meta(ge=100, le=100_000)] = 1000
    """Entries of a room that Redis keeps, once the database has them."""
    room_idle: Seconds = 3600
    """Seconds without an event after which a room leaves the memory of Redis. It stays in the
    database."""
    max_backlog: Annotated[int, Meta(ge=1000, le=MAX_BACKLOG_LIMIT)] | None = None
    """Entries of a partition that may wait for the database; above it sends get `overloaded`. Not
    given: 200,000, or less with more than 8 partitions."""
    max_content: Annotated[int, Meta(ge=1, le=MAX_CONTENT_CHARACTERS)] = DEFAULT_CONTENT_CHARACTERS
    """Characters of a message, at most; in JSON it has up to four bytes for each. Above 4,779, the
    size of a client's frame grows with it."""
    chats_limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_ITEMS)] = MAX_PAGE_ITEMS
    """Chats in a list of a user's chats, at most: those with the latest messages. `getChats` gives
    older ones page by page."""
    wake_after: Seconds = 600
    """Seconds without an event after which gateways stop following a direct chat. The next event
    wakes those of its users."""
    dedupe_minutes: Annotated[float, Meta(ge=0.01, le=10**6)] = 60
    """Minutes for which Redis knows a `clientMsgId`. After that, only a send with `resend: true` is
    looked up in the database."""
    start_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 30
    """Seconds that a gateway or persister waits at its start for Redis and the database; then it
    ends with exit code 2. `0`: it waits for as long as it takes."""
    drain_seconds: Annotated[float, Meta(ge=0.1, le=3600)] = 10
    """Seconds a gateway that is told to stop takes to send its clients elsewhere."""
    broadcast_limit: Annotated[int, Meta(ge=0)] = 1000
    """Connections in the installation up to which everyone is told who connects and who is online.
    Above it, only those who share rooms or chats are."""
    recovery_seconds: Annotated[float, Meta(ge=1, le=86_400)] = 120
    """Seconds for which a Socket.IO client that lost its connection can be recovered."""
    outbox_limit: Annotated[int, Meta(ge=65_536)] = 1_048_576
    """Bytes that a connection may leave unread before it gets `lagged` and is closed. At least
    8,192 and 6 for each character of `MAX_CONTENT`: so many may one message have. A page
    has at most half of it."""
    batch_size: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    """Entries in one transaction of a persister, at most."""
    batch_age: Annotated[float, Meta(ge=0, le=5)] = 0.1
    """Seconds that a persister waits for more entries before it stores a batch."""
    sqlite_synchronous: Literal["FULL", "EXTRA", "NORMAL"] = "FULL"
    """How carefully SQLite writes to disk (`PRAGMA synchronous`). `NORMAL` may lose what is durable
    in a power failure."""
    lease_seconds: Annotated[float, Meta(ge=0.5, le=60)] = 3
    """Seconds that a persister holds a partition without renewing it. After a crash another
    persister takes over in about this time."""
    secret_keys: SecretKeys = SecretKeys("")
    """Keys that sign grants, separated by commas, of at least 32 bytes each, the same for all
    gateways. The first signs, all are accepted. Not given: a gateway makes its own, and grants
    hold on that gateway until it stops."""
    grant_hours: Annotated[float, Meta(ge=0.01, le=8760)] = 24
    """Hours for which a grant of a protected room is valid."""
    auth_mode: Literal["open", "jwt"] = "open"
    """`open`: a connection is who it says. `jwt`: a token of your application says who it is."""
    allow_open: Literal["yes", "no"] = "no"
    """`yes` lets a gateway with `AUTH_MODE=open` listen on addresses other than loopback."""
    guests: Literal["on", "off"] = "off"
    """`on` lets in connections without a token, under a name that the server gives. Only with
    `AUTH_MODE=jwt`."""
    guests_per_address: Annotated[int, Meta(ge=0, le=MAX_GUESTS)] = 50
    """Guests that an address may be at a time, in the whole installation. `0`: any number."""
    guest_ban_seconds: Annotated[float, Meta(ge=0, le=10**7)] = 3600
    """Seconds for which a ban of a guest from a room keeps all guests of the same address from
    entering it. `0`: a ban of a guest holds for the guest's name only."""
    jwt_key: str = ""
    """Secret that signs tokens with HS256, at least 32 bytes."""
    jwt_public_key: str = ""
    """Public key of your tokens: a PEM, or the path of one. RS256, ES256 or EdDSA."""
    jwt_jwks_url: str = ""
    """Address of a key set (JWKS) that has the public keys of your tokens: `https://`, or `http://`
    on this machine. Proxies of the environment are not used."""
    jwt_jwks_max_age: Annotated[float, Meta(ge=1, le=10**6)] = 3600
    """Seconds for which a key set counts after it was fetched. It is fetched every five minutes;
    while its address is away for longer than this, no token is accepted, and open connections stay
    until their tokens expire."""
    jwt_audience: str = ""
    """Audience (`aud`) that a token has to name. Not given: any; with `JWT_JWKS_URL`, this or
    `JWT_ISSUER` is required."""
    jwt_issuer: str = ""
    """Issuer (`iss`) that a token has to name. Not given: any."""
    allow_any_audience: Literal["yes", "no"] = "no"
    """`yes` takes every token that a key of `JWT_JWKS_URL` has signed, without `JWT_AUDIENCE` and
    `JWT_ISSUER`: also those that were made for other applications."""
    jwt_user_claim: Annotated[str, Meta(min_length=1, max_length=256)] = "sub"
    """Claim of a token that has the user's name."""
    jwt_max_hours: Annotated[float, Meta(ge=0.001, le=10**6)] | None = None
    """Hours from a token's `iat` to its `exp`, at most; a token without `iat` is refused then. Not
    given: any."""
    jwt_leeway: Annotated[float, Meta(ge=0, le=60)] = 2
    """Seconds by which the clocks of your application and of a gateway may differ."""
    trusted_proxies: Networks = Networks.parse("")
    """Addresses and networks of proxies, separated by commas, whose `X-Forwarded-For` is
    believed."""
    allowed_origins: Origins = Origins.parse("")
    """Origins of pages that may connect, separated by commas, such as `https://chat.example.org`,
    `capacitor://localhost`, or `https://*.example.org` for all hosts below a domain; `self` (with
    the origins of `PUBLIC_URL`) and `loopback` are words for some. Not given: `self`, and with
    `AUTH_MODE=open` also `loopback`."""
    handshake_seconds: Annotated[float, Meta(ge=0.1, le=300)] = 10
    """Seconds that a connection may take to send its first request."""
    ping_seconds: Annotated[float, Meta(ge=0.1, le=3600)] = 20
    """Seconds of silence after which a WebSocket is pinged. Without an answer in the same time it
    is dropped."""
    max_half_open: Annotated[int, Meta(ge=1)] = 4096
    """Connections of a gateway that have not sent a request yet. Above it the oldest is dropped."""
    max_rooms: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Rooms that one connection may be in."""
    rate_limits: Literal["on", "off", "auto"] = "auto"
    """`on` limits rates, `off` does not. `auto` limits them with `AUTH_MODE=jwt` and where `HOST`
    is not loopback."""
    rate_connections: Rate = Rate.parse("20/1s:500")
    """Connections that an address opens."""
    rate_user_connections: Rate = Rate.parse("1/1s:30")
    """Connections that a user opens."""
    rate_messages: Rate = Rate.parse("20/1s:60")
    """`message` and `sendMessage` of a user."""
    rate_joins: Rate = Rate.parse("10/1s:200")
    """`joinRoom`, `leaveRoom`, `resume`, `createRoom`, `createChat` and `setPassword` of a user."""
    rate_typing: Rate = Rate.parse("2/1s:10")
    """`typing` of a user. What is too much is dropped."""
    rate_history: Rate = Rate.parse("10/1s:100")
    """`history`, `getMessages`, `getChats` and `getRooms` of a user."""
    rate_requests: Rate = Rate.parse("50/1s:300")
    """All other requests of a user."""
    rate_rest: Rate = Rate.parse("20/1s:100")
    """REST requests of an address."""
    rate_pages: Rate = Rate.parse("100/1s:1000")
    """Requests of an address to one gateway for files and documents, and health checks."""
    rate_guesses: Rate = Rate.parse("5/1m:5")
    """Wrong passwords of a user for a room."""
    rate_address_guesses: Rate = Rate.parse("10/1m:20")
    """Wrong passwords of an address for a room."""
    rate_room_guesses: Rate = Rate.parse("60/1m:100")
    """Wrong passwords of all users for a room."""
    rate_bytes: Rate = Rate.parse("262144/1s:1048576")
    """Bytes that a connection sends. Above it the connection is read more slowly."""
    rate_packets: Rate = Rate.parse("100/1s:1000")
    """Frames, packets and polls that a connection sends, of every kind. Above it the connection is
    read more slowly."""
    rate_refusals: Rate = Rate.parse("10/1s:100")
    """Refused frames of a connection. Above it the connection is closed with 4429."""
    log_format: Literal["text", "json"] = "text"
    """Format of log lines."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important lines that are logged. Security events are logged whatever it is."""
    security_log: FilePath = FilePath("")
    """Path of a file for security events, which gateways and commands on one machine may share. At
    10 MB a new one is begun; ten older ones are kept. Not given: in a cluster
    `DATA_DIR/log/security.log`, otherwise they are log lines only."""

    def __post_init__(self) -> None:
        """Refuse settings that do not go together.

        Raises:
            ConfigError: the longest message is larger than an outbox, or a secret can be guessed.
        """
        check_operator_secret(self.operator_secret)
        if self.outbox_limit < (longest := self._largest_event):
            raise ConfigError(
                f"OUTBOX_LIMIT={self.outbox_limit} is too small for MAX_CONTENT={self.max_content}:"
                f" one message of that length may take {longest} bytes"
            )

    @property
    def database(self) -> str | Path:
        """The URL of the database, or the SQLite file where none is given."""
        return self.database_url or Path(self.data_dir).absolute() / DATABASE_FILE

    @property
    def max_frame(self) -> int:
        """Bytes of a client's frame, at most: any message that is not too long fits in."""
        longest = RECEIVED_CHARACTER_BYTES * self.max_content + OTHER_FIELDS_BYTES
        return max(DEFAULT_FRAME_BYTES, longest)

    @property
    def max_content_bytes(self) -> int:
        """Bytes of a message in JSON, at most."""
        return MAX_CONTENT_BYTES_PER_CHARACTER * self.max_content

    @property
    def max_page(self) -> int:
        """Bytes of the items of a page, at most, unless a single item has more."""
        return min(MAX_PAGE_BYTES, self.outbox_limit // 2)

    @property
    def _largest_event(self) -> int:
        """Bytes of the largest event of one message."""
        return SENT_CHARACTER_BYTES * self.max_content + OTHER_FIELDS_BYTES

    def backlog_of(self, partitions: int) -> int:
        """Entries that each of so many partitions may hold and SQL not."""
        return self.max_backlog or min(200_000, 1_600_000 // partitions)

    @property
    def listens(self) -> tuple[str, ...]:
        """Addresses on which clients reach a gateway: its own, and that of its load balancer."""
        return (self.host, self.balancer_host) if self.balancer_host else (self.host,)

    @property
    def open_at(self) -> str | None:
        """The address that other machines reach, if there is one."""
        return next((each for each in self.listens if not is_loopback(each)), None)

    @property
    def limited(self) -> bool:
        """Rates are limited; with `auto`, where strangers may come."""
        if self.rate_limits == "auto":
            return self.auth_mode != "open" or self.open_at is not None
        return self.rate_limits == "on"

    @property
    def origins(self) -> Origins:
        """Origins of pages that may connect."""
        default = "self,loopback" if self.auth_mode == "open" else "self"
        return Origins.parse(str(self.allowed_origins) or default, self.public_url.origins)
