"""Tokens: what a JSON Web Token (RFC 7519) says of its bearer, once that is verified."""

from typing import Any, Final, NamedTuple

import jwt
import msgspec

from gateway.access.keys import Keys
from shared.config import Settings
from shared.errors import ChatError
from shared.model.fields import UserId, check_name
from shared.protocol.limits import MAX_TOKEN_CHARACTERS
from shared.telemetry import logger

MAX_EXPIRY_UNIX_SECONDS: Final = 10**11
"""Seconds since 1970 beyond which no date has a name: a token ends then at the latest."""

REQUIRED: Final = ("exp", "sub")

REASONS: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.InvalidAudienceError: "the token is not for this server",
    jwt.InvalidIssuerError: "the token is not from the issuer that this server trusts",
    jwt.MissingRequiredClaimError: "the token lacks a claim that it must have",
}
"""What a client is told beside that its token is not valid: nothing of what is in it."""

VERIFICATION_ERRORS: Final = (
    jwt.PyJWTError,
    msgspec.ValidationError,
    # The library lets these through for some crafted tokens.
    ValueError,
    TypeError,
    ArithmeticError,
    RecursionError,
)
"""How a token shows that it is none of use."""

log = logger(__name__)


class Bearer(NamedTuple):
    """Whom a token names.

    Attributes:
        user: their name.
        expires: when the token does, in seconds since 1970.
    """

    user: str
    expires: float


class _Claims(msgspec.Struct, frozen=True):
    sub: UserId
    exp: float

    def __post_init__(self) -> None:
        check_name(str(self.sub))


class Tokens:
    """Verifies tokens."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._keys = keys
        self._leeway = settings.jwt_leeway
        self._audience = settings.jwt_audience or None
        self._issuer = settings.jwt_issuer or None

    async def verify(self, token: str) -> Bearer:
        """Find out whom a token names.

        Raises:
            ChatError: `unauthorized`; `overloaded` where the keys cannot be had now.
        """
        try:
            if len(token) > MAX_TOKEN_CHARACTERS:
                raise jwt.DecodeError
            # Not trusted: it only chooses among keys, each of which has its own algorithm.
            key = await self._keys.key(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise jwt.InvalidKeyError
            claims = msgspec.convert(self._decode(token, key.key, key.algorithm), _Claims)
        except VERIFICATION_ERRORS as error:
            log.info("token refused", reason=type(error).__name__)
            raise ChatError(
                "unauthorized", REASONS.get(type(error), "the token is not valid")
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
                "require": list(REQUIRED),
                "verify_aud": self._audience is not None,
                "verify_sub": False,
            },
        )
        return claims
