"""Verification of tokens: JSON Web Tokens (RFC 7519) that name their bearer."""

from typing import Any, Final, NamedTuple

import jwt
import msgspec

from gateway.access.keys import Keys
from gateway.protocols.reading import read_leniently
from shared.config import Settings
from shared.errors import ChatError
from shared.model.fields import UserId, check_text
from shared.protocol.limits import MAX_TOKEN_CHARACTERS
from shared.telemetry import logger

MAX_EXPIRY_UNIX_SECONDS: Final = 10**11
"""Latest expiry, in seconds since 1970; a later one counts as this, as dates have a bound."""

REQUIRED_CLAIMS: Final = ("exp", "sub")

REFUSAL_MESSAGES: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.InvalidAudienceError: "the token is not for this server",
    jwt.InvalidIssuerError: "the token is not from the issuer that this server trusts",
    jwt.MissingRequiredClaimError: "the token lacks a claim that it must have",
}
"""Error texts by exception; they repeat nothing of the token's content."""

VERIFICATION_ERRORS: Final = (
    jwt.PyJWTError,
    msgspec.ValidationError,
    # The library does not catch these for some crafted tokens.
    ValueError,
    TypeError,
    ArithmeticError,
    RecursionError,
)
"""Exceptions that reading a token can raise; each means that the token is not valid."""

log = logger(__name__)


class Bearer(NamedTuple):
    """The user that a token names.

    Attributes:
        user: the user's name.
        expires: expiry of the token, in seconds since 1970.
    """

    user: str
    expires: float


class _Claims(msgspec.Struct, frozen=True):
    sub: UserId
    exp: float

    def __post_init__(self) -> None:
        check_text(str(self.sub))


class Tokens:
    """Verifies tokens."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._keys = keys
        self._leeway = settings.jwt_leeway
        self._audience = settings.jwt_audience or None
        self._issuer = settings.jwt_issuer or None

    async def verify(self, token: str) -> Bearer:
        """Verify a token and return its bearer.

        Raises:
            ChatError: `unauthorized`; `overloaded` where the keys cannot be fetched now.
        """
        try:
            if len(token) > MAX_TOKEN_CHARACTERS:
                raise jwt.DecodeError
            # The header is not verified. It only chooses among keys, and each key has its own
            # algorithm, so a forged header cannot weaken the check.
            key = await self._keys.key(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise jwt.InvalidKeyError
            claims = read_leniently(self._decode(token, key.key, key.algorithm), _Claims)
        except VERIFICATION_ERRORS as error:
            log.info("token refused", reason=type(error).__name__)
            raise ChatError(
                "unauthorized", REFUSAL_MESSAGES.get(type(error), "the token is not valid")
            ) from None
        return Bearer(str(claims.sub), min(claims.exp, MAX_EXPIRY_UNIX_SECONDS))

    def _decode(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:  # noqa: ANN401 - each algorithm has its own kind of key
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._audience,
            issuer=self._issuer,
            leeway=self._leeway,
            # `sub` may be an integer here.
            options={
                "require": list(REQUIRED_CLAIMS),
                "verify_aud": self._audience is not None,
                "verify_sub": False,
            },
        )
        return claims
