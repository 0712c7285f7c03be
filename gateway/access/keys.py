"""Keys for verifying tokens, each bound to one algorithm.

The algorithm comes from the key and never from the token. Otherwise an attacker could write `none`
into a token's header, or `HS256` and sign with the public key, which everyone knows.
Source: RFC 8725, sections 3.1 and 3.2.
"""

import asyncio
import math
import time
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.access.key_set import KeySetError, Origin, download
from shared.config import ConfigError, Settings
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.telemetry import logger

MIN_SHARED_KEY_BYTES: Final = 32
"""Shortest shared key; shorter keys can be guessed (RFC 7518, section 3.2)."""

MIN_RSA_KEY_BITS: Final = 2048

MIN_FETCH_INTERVAL_SECONDS: Final = 10.0
"""Seconds between two attempts to fetch a key set, however many unknown keys tokens name."""

REFRESH_INTERVAL_SECONDS: Final = 300.0
"""Age in seconds at which a key set is fetched again."""

REFRESHES_PER_AGE: Final = 3
"""Number of times that a key set is fetched, at least, before it would be too old."""

MAX_KEYS: Final = 100
"""Entries of a key set, at most."""

FETCH_ERRORS: Final = (OSError, KeySetError, ValueError, msgspec.DecodeError, RecursionError)
"""Errors of fetching and reading a key set."""

log = logger(__name__)


class Key(NamedTuple):
    """A key and its algorithm."""

    key: Any
    algorithm: str


class Keys(Protocol):
    """Source of the keys for verifying tokens."""

    async def key(self, kid: object) -> Key | None:
        """Return the key that a token's header names; None where there is no such key.

        Args:
            kid: from the header of a token that is not verified yet, of any type.

        Raises:
            ChatError: `overloaded`: the keys cannot be fetched now.
        """
        ...


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class FixedKey:
    """The key that the settings contain."""

    def __init__(self, key: Key) -> None:
        self._key = key

    async def key(self, kid: object) -> Key | None:  # noqa: ARG002 - there is only one key
        """Return the key, whatever name a token gives it."""
        return self._key


class FetchedKeys:
    """A key set at a URL (RFC 7517), fetched again and again.

    No token is judged by a set that was fetched too long ago: a key that its owner has taken out of
    the set would else hold for as long as the address is away.

    Attributes:
        task: fetches the set before it is too old.
    """

    def __init__(self, url: str, max_age: float) -> None:
        """Begin without a key.

        Args:
            url: an address that `Origin.of` takes.
            max_age: seconds for which a set counts after it was fetched.
        """
        self._url = url
        self._max_age = max_age
        self._keys: dict[str, Key] = {}
        self._fetched_at = -math.inf
        self._tried_at = -math.inf
        self._fetching: asyncio.Task[None] | None = None
        self._failed = True
        self.task = PeriodicTask(self._fetch_again, self._pause, "keys", at_once=True)

    async def key(self, kid: object) -> Key | None:
        """Return the key of this name.

        A known key is returned at once, even if the set is fetched meanwhile. For an unknown key
        the caller waits for the fetch.
        """
        if not isinstance(kid, str):
            return None
        found = self._find(kid)
        if found is None:
            self._fetch()
            if self._fetching is not None:
                await asyncio.shield(self._fetching)
                found = self._find(kid)
        if found is None and (self._failed or self._is_too_old):
            # The key may be a new one that we could not fetch, so this is not `unauthorized`.
            raise ChatError("overloaded", "the keys for tokens cannot be fetched now, try again")
        return found

    @property
    def _is_too_old(self) -> bool:
        return time.monotonic() - self._fetched_at > self._max_age

    def _find(self, kid: str) -> Key | None:
        return None if self._is_too_old else self._keys.get(kid)

    def _pause(self) -> float:
        often = min(REFRESH_INTERVAL_SECONDS, self._max_age / REFRESHES_PER_AGE)
        return min(often, MIN_FETCH_INTERVAL_SECONDS) if self._failed else often

    async def _fetch_again(self) -> None:
        self._fetch()
        if self._fetching is not None:
            await asyncio.shield(self._fetching)

    def _fetch(self) -> None:
        now = time.monotonic()
        often = min(MIN_FETCH_INTERVAL_SECONDS, self._max_age / REFRESHES_PER_AGE)
        if self._fetching is None and now - self._tried_at >= often:
            self._tried_at = now
            self._fetching = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        # The age counts from here: the set may be as old as the request.
        began = time.monotonic()
        try:
            keys = await asyncio.to_thread(_read_key_set, await download(self._url))
        except FETCH_ERRORS as error:
            self._failed = True
            reason = str(error) if isinstance(error, KeySetError) else type(error).__name__
            log.warning("cannot fetch the keys for tokens", reason=reason)
        else:
            self._failed, self._keys, self._fetched_at = False, keys, began
        finally:
            self._fetching = None


def keys_of(settings: Settings) -> Keys:
    """Return the source of keys that the settings name.

    Raises:
        ConfigError: the settings name no key, more than one, or one that cannot be used.
    """
    given = {
        "JWT_KEY": settings.jwt_key,
        "JWT_PUBLIC_KEY": settings.jwt_public_key,
        "JWT_JWKS_URL": settings.jwt_jwks_url,
    }
    if sum(map(bool, given.values())) != 1:
        raise ConfigError(f"AUTH_MODE=jwt needs exactly one of {', '.join(given)}")
    if settings.jwt_key:
        return FixedKey(_shared_key(settings.jwt_key.encode()))
    if settings.jwt_public_key:
        return FixedKey(_public_key(settings.jwt_public_key))
    try:
        Origin.of(settings.jwt_jwks_url)
    except ValueError as error:
        raise ConfigError(f"JWT_JWKS_URL is not valid: {error}") from None
    return FetchedKeys(settings.jwt_jwks_url, settings.jwt_jwks_max_age)


def _shared_key(key: bytes) -> Key:
    if len(key) < MIN_SHARED_KEY_BYTES:
        raise ConfigError(
            f"JWT_KEY is too short: it must have at least {MIN_SHARED_KEY_BYTES} bytes"
        )
    return Key(key, "HS256")


def _public_key(given: str) -> Key:
    try:
        if "-----BEGIN" in given:
            pem = given.replace("\\n", "\n")
        else:
            pem = Path(given).expanduser().read_text()
        algorithm = _algorithm(key := load_pem_public_key(pem.encode()))
    except (OSError, RuntimeError) as error:  # the latter for the home folder of nobody
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"JWT_PUBLIC_KEY cannot be read: {reason}") from None
    except (ValueError, UnsupportedAlgorithm):
        algorithm = None
    if algorithm is None:
        raise ConfigError(
            "JWT_PUBLIC_KEY is not valid: it must be a public key as PEM, or the path of one:"
            f" RSA of {MIN_RSA_KEY_BITS} bits or more, P-256, or Ed25519"
        )
    return Key(key, algorithm)


def _algorithm(key: object) -> str | None:
    """Return the one algorithm of a public key; None for a kind of key that we do not accept."""
    match key:
        case RSAPublicKey() if key.key_size >= MIN_RSA_KEY_BITS:
            return "RS256"
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return "ES256"
        case Ed25519PublicKey():
            return "EdDSA"
        case _:
            return None


def _read_key_set(data: bytes) -> dict[str, Key]:
    """Read a key set; keys that are not public, or not for signatures, are skipped.

    Raises:
        msgspec.DecodeError: the data is not a key set.
        KeySetError: it has too many keys.
    """
    found: dict[str, Key] = {}
    entries = msgspec.json.decode(data, type=_KeySet).keys
    if len(entries) > MAX_KEYS:
        raise KeySetError(f"it has more than {MAX_KEYS} keys")
    for entry in entries:
        if not isinstance(kid := entry.get("kid"), str):
            continue
        if entry.get("use", "sig") != "sig" or entry.get("kty") not in {"RSA", "EC", "OKP"}:
            continue
        try:
            key = jwt.PyJWK(entry).key
        # `alg` may be "none", and the curve one that this build of OpenSSL does not have.
        except (
            *(jwt.PyJWTError, ValueError, TypeError),
            *(NotImplementedError, UnsupportedAlgorithm),
        ):
            continue
        algorithm = _algorithm(key)
        if algorithm is not None and entry.get("alg", algorithm) == algorithm:
            found[kid] = Key(key, algorithm)
    return found
