"""Settings: read once from the environment, checked, frozen. Nothing else reads `os.environ`."""

import os
import re
import secrets
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import msgspec
from msgspec import Meta

from shared.addresses import Networks, is_loopback
from shared.origins import Origins
from shared.protocol.limits import DEFAULT_CONTENT_CHARACTERS, MAX_CONTENT_CHARACTERS
from shared.rates import Rate

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(ge=0.1, le=10**8)]
Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]

MAX_PARTITIONS = 1024
"""An id keeps ten bits for its partition, so there cannot be more of them."""

MAX_BACKLOG_LIMIT = 999_999
"""The highest MAX_BACKLOG; the gap between epochs (`FENCE_GAP`) is above it."""


class ConfigError(ValueError):
    """A setting has a value that Parley cannot run with; the text is one sentence for a user."""


def invalid(name: str, value: str, reason: object) -> ConfigError:
    """The refusal of a setting; neither a secret nor a part of one is quoted.

    Args:
        name: of its environment variable.
        value: what it was set to.
        reason: what is wrong, perhaps in the words of a library, which may quote the value.
    """
    if name.endswith(("_KEY", "_KEYS")) or (name.endswith("_URL") and re.search("[@?]", value)):
        return ConfigError(f"{name} is not valid; it is not shown, as it may hold a password")
    return ConfigError(f"{name}={value} is not valid: {reason}")


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """Everything a gateway or a persister can be told, named as in the environment.

    Durations are in seconds, sizes in bytes or characters as their comments say.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    # The operator's own: status and metrics. Without it they are not served.
    admin_host: str = "127.0.0.1"
    admin_port: Port | None = None
    # Files in PEM: with them a gateway serves https and wss only. The key may be in the first.
    tls_cert: str = ""
    tls_key: str = ""
    gateway_name: Name = "gateway"
    persister_name: Name = "persister"
    data_dir: str = ".cluster"
    redis_url: str = "redis://127.0.0.1:8580"
    database_url: str = ""  # the SQLite file of DATA_DIR
    # What names of keys and channels begin with, and how many partitions there are. Both are fixed
    # for the life of the data, and kept with it: not given, they are what the data has. New data
    # gets a name of its own and 8 partitions. Every start compares them.
    namespace: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{0,64}\Z")] = ""
    partitions: Annotated[int, Meta(ge=1, le=MAX_PARTITIONS)] | None = None
    # The newest format in which partitions are opened, to keep a way back to an older build; the
    # newest that all living processes read where it is not given.
    write_format: Annotated[int, Meta(ge=2)] | None = None
    log_length: Annotated[int, Meta(ge=100, le=100_000)] = 1000  # entries a room
    room_idle: Seconds = 3600
    # Entries a partition may hold that SQL does not; above it, sends answer `overloaded`. Not
    # given, it is 200,000, or a share of 1,600,000 where there are more than 8 partitions.
    max_backlog: Annotated[int, Meta(ge=1000, le=MAX_BACKLOG_LIMIT)] | None = None
    # Characters of a message.
    max_content: Annotated[int, Meta(ge=1, le=MAX_CONTENT_CHARACTERS)] = DEFAULT_CONTENT_CHARACTERS
    # A direct chat whose last event is older wakes the gateways of its users; they follow it for
    # half as long again.
    wake_after: Seconds = 600
    dedupe_minutes: Annotated[float, Meta(ge=0.01, le=10**6)] = 60
    drain_seconds: Annotated[float, Meta(ge=0.1, le=3600)] = 10
    broadcast_limit: Annotated[int, Meta(ge=0)] = 1000  # connections in the whole cluster
    # How long a Socket.IO client that lost its connection may come back to where it was.
    recovery_seconds: Annotated[float, Meta(ge=1, le=86_400)] = 120
    outbox_limit: Annotated[int, Meta(ge=65_536)] = 1_048_576  # unsent bytes of one connection
    batch_size: Annotated[int, Meta(ge=1, le=10_000)] = 1000  # entries in one SQL transaction
    batch_age: Annotated[float, Meta(ge=0, le=5)] = 0.1  # seconds a batch may wait to grow
    sqlite_synchronous: Literal["FULL", "EXTRA", "NORMAL"] = "FULL"
    lease_seconds: Annotated[float, Meta(ge=0.5, le=60)] = 3
    # Signs grants: the first key signs, all are known; separated by commas, shared by gateways.
    secret_keys: str = ""
    grant_hours: Annotated[float, Meta(ge=0.01, le=8760)] = 24
    # Who a connection is: what it says, or what a verified token says of it. How these go together
    # is checked by `gateway/access/identity.py`, which never shows their values.
    auth_mode: Literal["open", "jwt"] = "open"
    allow_open: Literal["yes", "no"] = "no"  # in `open`, to listen beyond loopback
    guests: Literal["on", "off"] = "off"
    jwt_key: str = ""
    jwt_public_key: str = ""  # a PEM, or the path of one
    jwt_jwks_url: str = ""
    jwt_audience: str = ""
    jwt_issuer: str = ""
    jwt_leeway: Annotated[float, Meta(ge=0, le=60)] = 2  # seconds that clocks may differ
    # Proxies whose `X-Forwarded-For` is believed.
    trusted_proxies: Networks = Networks.parse("")
    # Whose pages may connect; empty for the gateway's own, in `open` those of loopback too.
    allowed_origins: Origins = Origins.parse("")
    handshake_seconds: Annotated[float, Meta(ge=0.1, le=300)] = 10
    ping_seconds: Annotated[float, Meta(ge=0.1, le=3600)] = 20  # a silent WebSocket is asked
    # Connections that have not sent their first request yet; above it the oldest is dropped.
    max_half_open: Annotated[int, Meta(ge=1)] = 4096
    max_rooms: Annotated[int, Meta(ge=1, le=10_000)] = 100  # of one connection
    rate_limits: Literal["on", "off", "auto"] = "auto"
    rate_connections: Rate = Rate.parse("20/1s:500")  # an address
    rate_user_connections: Rate = Rate.parse("1/1s:30")
    rate_messages: Rate = Rate.parse("20/1s:60")
    rate_joins: Rate = Rate.parse("10/1s:200")
    rate_typing: Rate = Rate.parse("2/1s:10")
    rate_history: Rate = Rate.parse("10/1s:100")
    rate_requests: Rate = Rate.parse("50/1s:300")  # all else that a user asks
    rate_rest: Rate = Rate.parse("20/1s:100")  # an address
    # Passwords that were wrong: a user's for a room, an address's for a room, all for a room.
    rate_guesses: Rate = Rate.parse("5/1m:5")
    rate_address_guesses: Rate = Rate.parse("10/1m:20")
    rate_room_guesses: Rate = Rate.parse("60/1m:100")
    # What one connection may be refused before it is closed.
    rate_refusals: Rate = Rate.parse("10/1s:100")
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def __post_init__(self) -> None:
        """Give the database its place in DATA_DIR where none is given."""
        if not self.database_url:
            url = f"sqlite+aiosqlite:///{self.data_dir}/parley.db"
            msgspec.structs.force_setattr(self, "database_url", url)

    def backlog_of(self, partitions: int) -> int:
        """Entries that each of so many partitions may hold and SQL not."""
        return self.max_backlog or min(200_000, 1_600_000 // partitions)

    @property
    def limited(self) -> bool:
        """Whether rates are limited: by themselves wherever strangers may come."""
        if self.rate_limits == "auto":
            return self.auth_mode != "open" or not is_loopback(self.host)
        return self.rate_limits == "on"

    @property
    def origins(self) -> Origins:
        """Whose pages may connect."""
        if str(self.allowed_origins):
            return self.allowed_origins
        return Origins.parse("self,loopback" if self.auth_mode == "open" else "self")


S = TypeVar("S", bound=msgspec.Struct)


def load(kind: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read the fields of `kind` from the environment; an empty value counts as not given.

    Args:
        kind: a Struct whose encoded field names are environment variables.
        environ: the variables; the process's own unless given.

    Raises:
        ConfigError: a value is not what its field takes. The text names the variable.
    """
    given = os.environ if environ is None else environ
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    values = {name: given[name] for name in known if given.get(name)}
    try:
        return msgspec.convert(values, kind, strict=False, dec_hook=_read)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`")
        raise invalid(name, values.get(name, ""), reason) from None


def _read(kind: Any, text: str) -> object:  # noqa: ANN401 - a type with a syntax of its own
    return kind.parse(text)


def load_or_exit(kind: type[S]) -> S:
    """As `load`, for the start of a process: one sentence on standard error and exit code 2."""
    try:
        return load(kind)
    except ConfigError as error:
        refuse(str(error))


def refuse(sentence: str) -> NoReturn:
    """End the process because of a setting: `sentence` on standard error, exit code 2."""
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(2)


def incarnation(name: str) -> str:
    """A name for this life of a process, `name` and 48 random bits, never used again."""
    return f"{name}-{secrets.token_hex(6)}"
