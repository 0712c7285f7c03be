"""Types of the fields of commands, with their bounds, and what a name and a text may hold."""

from typing import Annotated

from msgspec import Meta

from shared.model.ids import TOP

MOST_NAME = 128
"""Characters of a user's or a room's name."""

Name = Annotated[str, Meta(min_length=1, max_length=MOST_NAME)]
MOST_DIGITS = 15
"""Digits of an integer that every client can hold exactly."""

UserId = Annotated[int, Meta(ge=0, lt=10**MOST_DIGITS)] | Name
"""A user: text, or a decimal integer, which clients get back as one."""

EventId = Annotated[int, Meta(ge=1, lt=TOP)]
ClientMsgId = Annotated[str, Meta(min_length=1, max_length=128)]
Password = Annotated[str, Meta(max_length=256)]
Grant = Annotated[str, Meta(max_length=1024)]
MOST_TOKEN = 8192
"""Characters of a token."""

Token = Annotated[str, Meta(min_length=1, max_length=MOST_TOKEN)]
MOST_RESUMED = 1000
"""Rooms and chats in one `resume`."""

MOST_ID = 17
"""More digits than an id has."""

Seq = Annotated[int, Meta(ge=0, lt=TOP)]
Limit = Annotated[int, Meta(ge=1, le=1000)]


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
