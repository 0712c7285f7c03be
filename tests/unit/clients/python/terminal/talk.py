"""Direct messages for the tests of the terminal."""

from datetime import UTC, datetime
from typing import Final

from parley_chat.events.kinds import NewMessage, UserId

AT: Final = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def said_to(sender: UserId, content: str, seq: int = 1, *, chat: int = 1) -> NewMessage:
    """A direct message: of ann to bob, of anybody else to ann."""
    receiver = "bob" if sender == "ann" else "ann"
    return NewMessage(
        chat_id=chat,
        id=seq * 1024,
        seq=seq,
        prev=seq - 1,
        sender_id=sender,
        receiver_id=receiver,
        content=content,
        created_at=AT,
    )
