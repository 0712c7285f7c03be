"""The error of a login that is refused, with the reason that the trail gets."""

from shared.errors import ChatError
from shared.protocol.errors import Code
from shared.trail.events import LoginRefusal


class LoginError(ChatError):
    """A client is not let in as the user that it asked to be.

    Attributes:
        refusal: the reason, for the trail; the client is told `message`.
        user: the user of a valid token, where the name that was given is another.
    """

    def __init__(
        self,
        refusal: LoginRefusal,
        message: str,
        code: Code = "unauthorized",
        user: str | None = None,
    ) -> None:
        super().__init__(code, message)
        self.refusal: LoginRefusal = refusal
        self.user = user
