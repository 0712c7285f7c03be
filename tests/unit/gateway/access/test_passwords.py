"""Passwords of rooms: how they are hashed, and how many at a time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from gateway.access.passwords import MAX_QUEUED_HASHES, Passwords
from shared.errors import ChatError


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    """Those of one gateway."""
    made = Passwords()
    yield made
    made.close()


async def test_a_hash_is_as_strong_as_owasp_asks(passwords: Passwords) -> None:
    """A password is kept as argon2id with 19 MiB and two passes, and another salt each time."""
    first, second = await passwords.hash("secret"), await passwords.hash("secret")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await passwords.check(first, "secret")
    assert not await passwords.check(first, "Secret")


async def test_a_flood_is_told_to_come_again(passwords: Passwords) -> None:
    """Above what may wait, a check is refused at once and retryable; the others are answered."""
    kept = await passwords.hash("secret")
    checks = [passwords.check(kept, "secret") for _ in range(MAX_QUEUED_HASHES + 10)]
    answers = await asyncio.gather(*checks, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, ChatError)]
    assert [error.code for error in refused] == ["overloaded"] * 10
    assert all(error.retryable for error in refused)
    assert answers.count(True) == MAX_QUEUED_HASHES
    assert await passwords.check(kept, "secret")


async def test_no_room_looks_like_a_wrong_password(passwords: Passwords) -> None:
    """A room that does not exist is refused after a hash as well."""
    assert not await passwords.check(None, "secret")
    assert not await passwords.check(None, "decoy")


async def test_one_password_opens_however_it_is_typed(passwords: Passwords) -> None:
    """An accent in one character or two is one password, with hashes of older builds too."""
    composed, apart = "caf\u00e9", "cafe\u0301"
    kept = await passwords.hash(apart)
    assert await passwords.check(kept, composed)
    assert await passwords.check(kept, apart)
    assert not await passwords.check(kept, "cafe")
    older = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash
    for text in (apart, composed, "a\u200bb"):
        assert await passwords.check(older(text), text)
    assert await passwords.check(older(apart), composed)


async def test_a_password_that_cannot_be_is_refused(passwords: Passwords) -> None:
    """A new password with a hidden character is refused in a sentence that names it."""
    with pytest.raises(ChatError, match=r"U\+200B") as refused:
        await passwords.hash("a\u200bb")
    assert refused.value.code == "bad_request"
