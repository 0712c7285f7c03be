"""Types of the fields of commands, with their bounds, and a check of texts."""

from typing import Annotated

from msgspec import Meta

from shared.model.ids import TOP
from shared.protocol.limits import (
    MAX_CLIENT_MSG_ID_CHARACTERS,
    MAX_GRANT_CHARACTERS,
    MAX_ID_DIGITS,
    MAX_PAGE_ITEMS,
    MAX_PASSWORD_CHARACTERS,
    MAX_TOKEN_CHARACTERS,
    MAX_TYPED_NAME_CHARACTERS,
)

Name = Annotated[str, Meta(min_length=1, max_length=MAX_TYPED_NAME_CHARACTERS)]
"""A name as it was typed. `shared/names` says what it stands for: the names that older builds took
have to be found still, so a command takes more names than a new room or user may have."""

UserId = Annotated[int, Meta(ge=0, lt=TOP)] | Name
"""A user: text, or a decimal integer, which clients get back as an integer."""

EventId = Annotated[int, Meta(ge=1, lt=TOP)]
ClientMsgId = Annotated[str, Meta(min_length=1, max_length=MAX_CLIENT_MSG_ID_CHARACTERS)]
Password = Annotated[str, Meta(max_length=MAX_PASSWORD_CHARACTERS)]
Grant = Annotated[str, Meta(max_length=MAX_GRANT_CHARACTERS)]
Token = Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN_CHARACTERS)]
Seq = Annotated[int, Meta(ge=0, lt=TOP)]
ChatPlace = Annotated[
    str,
    Meta(pattern=r"^[0-9]{1,16}(\.[0-9]{1,16}\.[0-9]{1,16})?$", max_length=MAX_ID_DIGITS * 3 + 2),
]
"""A place in the list of a user's chats, as the server has written it, or the id of a chat."""

Limit = Annotated[int, Meta(ge=1, le=MAX_PAGE_ITEMS)]


def check_text(text: str) -> str:
    """Return the text, if every database can store it.

    Raises:
        ValueError: it has a NUL, or half of a surrogate pair.
    """
    if "\x00" in text:
        raise ValueError("a text cannot hold NUL")
    text.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return text
