"""Types of the fields of commands, with their bounds, and checks of names and texts."""

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
)

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)]
UserId = Annotated[int, Meta(ge=0, lt=TOP)] | Name
"""A user: text, or a decimal integer, which clients get back as an integer."""

EventId = Annotated[int, Meta(ge=1, lt=TOP)]
ClientMsgId = Annotated[str, Meta(min_length=1, max_length=MAX_CLIENT_MSG_ID_CHARACTERS)]
Password = Annotated[str, Meta(max_length=MAX_PASSWORD_CHARACTERS)]
Grant = Annotated[str, Meta(max_length=MAX_GRANT_CHARACTERS)]
Token = Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN_CHARACTERS)]
Seq = Annotated[int, Meta(ge=0, lt=TOP)]
Limit = Annotated[int, Meta(ge=1, le=MAX_PAGE_ITEMS)]


def check_name(name: str) -> str:
    """Return the name, if users can see all of it and tell it from other names.

    Raises:
        ValueError: it is blank, begins or ends with space, or has invisible characters, such as
            control characters, line ends, and marks of writing direction.
    """
    if not name.isprintable() or name != name.strip():
        raise ValueError("a name has no invisible characters and no space at its ends")
    return name


def check_text(text: str) -> str:
    """Return the text, if every database can store it.

    Raises:
        ValueError: it has a NUL, or half of a surrogate pair.
    """
    if "\x00" in text:
        raise ValueError("a text cannot hold NUL")
    text.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return text
