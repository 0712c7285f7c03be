"""Types of the fields of commands, with their bounds, and what a name and a text may hold."""

from typing import Annotated

from msgspec import Meta

from shared.model.ids import TOP
from shared.protocol.limits import (
    MAX_CLIENT_MSG_ID_CHARACTERS,
    MAX_GRANT_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_PAGE_ITEMS,
    MAX_PASSWORD_CHARACTERS,
    MAX_TOKEN_CHARACTERS,
    MAX_USER_ID_DIGITS,
)

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)]
UserId = Annotated[int, Meta(ge=0, lt=10**MAX_USER_ID_DIGITS)] | Name
"""A user: text, or a decimal integer, which clients get back as one."""

EventId = Annotated[int, Meta(ge=1, lt=TOP)]
ClientMsgId = Annotated[str, Meta(min_length=1, max_length=MAX_CLIENT_MSG_ID_CHARACTERS)]
Password = Annotated[str, Meta(max_length=MAX_PASSWORD_CHARACTERS)]
Grant = Annotated[str, Meta(max_length=MAX_GRANT_CHARACTERS)]
Token = Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN_CHARACTERS)]
Seq = Annotated[int, Meta(ge=0, lt=TOP)]
Limit = Annotated[int, Meta(ge=1, le=MAX_PAGE_ITEMS)]


def check_name(name: str) -> str:
    """Return a name that can be shown and told apart.

    Raises:
        ValueError: it is blank, begins or ends with space, or holds what cannot be seen:
            control characters, line ends, marks that turn the writing around.
    """
    if not name.isprintable() or name != name.strip():
        raise ValueError("a name has no invisible characters and no space at its ends")
    return name


def check_text(text: str) -> str:
    """Return a text that every database can hold.

    Raises:
        ValueError: it holds NUL, or half of a surrogate pair.
    """
    if "\x00" in text:
        raise ValueError("a text cannot hold NUL")
    text.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return text
