"""The keys that tokens are checked with, each with the one algorithm it is for.

That the key says the algorithm, and never the token, is what keeps `none` and a public key taken
for a shared secret out. Source: RFC 8725, sections 3.1 and 3.2.
"""

import asyncio
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.config import ConfigError, Settings
from shared.errors import ChatError
from shared.telemetry import logger

MIN_SHARED_KEY_BYTES: Final = 32
"""Bytes of a shared key; fewer can be guessed (RFC 7518, section 3.2)."""

MIN_RSA_KEY_BITS: Final = 2048
"""Bits of an RSA key."""

FETCH_TIMEOUT_SECONDS: Final = 5.0
"""Seconds that a set of keys may take to come."""

MIN_FETCH_INTERVAL_SECONDS: Final = 10.0
"""Seconds between two attempts to fetch it, whatever tokens name."""

REFRESH_INTERVAL_SECONDS: Final = 300.0
"""Seconds after which a set of keys is fetched anew when it is used."""

MAX_KEY_SET_BYTES: Final = 1_048_576
"""Bytes of a set of keys."""

FETCH_ERRORS: Final = (
    OSError,
    HTTPException,
    ValueError,
    msgspec.DecodeError,
    RecursionError,
)
"""How an address shows that it is away, or has no set of keys."""

log = logger(__name__)


class Key(NamedTuple):
    """A key, and the algorithm that it is for."""

    key: Any
    algorithm: str


class Keys(Protocol):
    """Where the key for a token comes from."""

    async def key(self, kid: object) -> Key | None:
        """The key that a token's header names; None where there is no such key.

        Args:
            kid: as the header has it, which anybody may have written.

        Raises:
            ChatError: `overloaded`; the keys cannot be had now.
        """
        ...


class _Set(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class FixedKey:
    """A key that was set."""

    def __init__(self, key: Key) -> None:
        self._key = key

    async def key(self, kid: object) -> Key | None:  # noqa: ARG002 - there is no other
        """That key, whatever a token calls it."""
        return self._key


class FetchedKeys:
    """A set of keys at an address (RFC 7517), fetched in a thread and kept."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, Key] = {}
        self._fetched_at = -REFRESH_INTERVAL_SECONDS
        self._tried_at = -MIN_FETCH_INTERVAL_SECONDS
        self._fetching: asyncio.Task[None] | None = None
        self._failed = True

    async def key(self, kid: object) -> Key | None:
        """The key of this name. Only for one that is not known does anybody wait."""
        if not isinstance(kid, str):
            return None
        now = time.monotonic()
        found = self._keys.get(kid)
        if found is None or now - self._fetched_at >= REFRESH_INTERVAL_SECONDS:
            self._fetch(now)
        if found is None and self._fetching is not None:
            await asyncio.shield(self._fetching)
            found = self._keys.get(kid)
        if found is None and self._failed:
            # It may well be a new one.
            raise ChatError("overloaded", "the keys for tokens cannot be fetched now, try again")
        return found

    def _fetch(self, now: float) -> None:
        if self._fetching is None and now - self._tried_at >= MIN_FETCH_INTERVAL_SECONDS:
            self._tried_at = now
            self._fetching = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                keys = _read_set(await asyncio.to_thread(_download, self._url))
        except FETCH_ERRORS as error:
            self._failed = True
            log.warning("keys for tokens not fetched", reason=type(error).__name__)
        else:
            self._failed, self._keys, self._fetched_at = False, keys, time.monotonic()
        finally:
            self._fetching = None


def keys_of(settings: Settings) -> Keys:
    """The keys that the settings name.

    Raises:
        ConfigError: they name none, or more than one kind, or one that is of no use.
    """
    given = {
        "JWT_KEY": settings.jwt_key,
        "JWT_PUBLIC_KEY": settings.jwt_public_key,
        "JWT_JWKS_URL": settings.jwt_jwks_url,
    }
    if sum(map(bool, given.values())) != 1:
        raise ConfigError(f"AUTH_MODE=jwt needs one of {', '.join(given)}, and no other of them")
    if settings.jwt_key:
        return FixedKey(_shared_key(settings.jwt_key.encode()))
    if settings.jwt_public_key:
        return FixedKey(_public_key(settings.jwt_public_key))
    url = urlsplit(settings.jwt_jwks_url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ConfigError("JWT_JWKS_URL is not valid: it must begin with https:// or http://")
    return FetchedKeys(settings.jwt_jwks_url)


def _shared_key(key: bytes) -> Key:
    if len(key) < MIN_SHARED_KEY_BYTES:
        raise ConfigError(
            f"JWT_KEY is too short: it must have at least {MIN_SHARED_KEY_BYTES} bytes"
        )
    return Key(key, "HS256")


def _public_key(given: str) -> Key:
    try:
        pem = given.replace("\\n", "\n") if "-----BEGIN" in given else Path(given).read_text()
        algorithm = _algorithm(key := load_pem_public_key(pem.encode()))
    except OSError as error:
        raise ConfigError(f"JWT_PUBLIC_KEY cannot be read: {error.strerror}") from None
    except (ValueError, UnsupportedAlgorithm):
        algorithm = None
    if algorithm is None:
        raise ConfigError(
            "JWT_PUBLIC_KEY is not valid: it must be the PEM of a public key, or the path of one:"
            f" RSA of {MIN_RSA_KEY_BITS} bits or more, P-256, or Ed25519"
        )
    return Key(key, algorithm)


def _algorithm(key: object) -> str | None:
    """The one algorithm that a public key is for; None for one that we take nothing by."""
    match key:
        case RSAPublicKey() if key.key_size >= MIN_RSA_KEY_BITS:
            return "RS256"
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return "ES256"
        case Ed25519PublicKey():
            return "EdDSA"
        case _:
            return None


def _download(url: str) -> bytes:
    until = time.monotonic() + FETCH_TIMEOUT_SECONDS
    data = bytearray()
    # The address is the operator's own, http or https.
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_SECONDS) as response:  # noqa: S310
        while chunk := response.read1(65_536):
            data += chunk
            if len(data) > MAX_KEY_SET_BYTES or time.monotonic() > until:
                raise ValueError("too large, or too slow")
    return bytes(data)


def _read_set(data: bytes) -> dict[str, Key]:
    """Read a set; keys that are not for us, or are no public ones, are passed over.

    Raises:
        msgspec.DecodeError: it is none.
    """
    found: dict[str, Key] = {}
    for entry in msgspec.json.decode(data, type=_Set).keys:
        if not isinstance(kid := entry.get("kid"), str):
            continue
        if entry.get("use", "sig") != "sig" or entry.get("kty") not in {"RSA", "EC", "OKP"}:
            continue
        try:
            key = jwt.PyJWK(entry).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        algorithm = _algorithm(key)
        if algorithm is not None and entry.get("alg", algorithm) == algorithm:
            found[kid] = Key(key, algorithm)
    return found
