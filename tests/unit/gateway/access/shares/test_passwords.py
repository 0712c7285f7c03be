"""Passwords of rooms: how they are hashed, and how many at a time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from gateway.access.shares.passwords import MAX_WAITING_HASHES_PER_USER, Passwords
from shared.errors import ChatError
from tests.support.asker import Asker
from tests.support.waiting import HANGS_AFTER

ANN = Asker("ann", "192.0.2.1")
BOB = Asker("bob", "192.0.2.1")


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    """Those of one gateway."""
    made = Passwords()
    yield made
    made.close()


async def test_a_hash_is_as_strong_as_owasp_asks(passwords: Passwords) -> None:
    """A password is kept as argon2id with 19 MiB and two passes, and another salt each time."""
    first, second = await passwords.hash("secret", ANN), await passwords.hash("secret", ANN)
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await passwords.check(first, "secret", ANN)
    assert not await passwords.check(first, "Secret", ANN)


async def test_a_flood_is_told_to_come_again(passwords: Passwords) -> None:
    """Above what a user may have waiting, a check is refused at once; the others are answered."""
    kept = await passwords.hash("secret", ANN)
    allowed = MAX_WAITING_HASHES_PER_USER + 2
    checks = [passwords.check(kept, "secret", ANN) for _ in range(allowed + 10)]
    answers = await asyncio.gather(*checks, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, ChatError)]
    assert [error.code for error in refused] == ["overloaded"] * 10
    assert all(error.retryable for error in refused)
    assert answers.count(True) == allowed
    assert await passwords.check(kept, "secret", ANN)


async def test_a_flood_is_not_in_the_way(passwords: Passwords) -> None:
    """A user's password is checked next, however many of another user's wait already."""
    kept = await passwords.hash("secret", ANN)
    done: list[str] = []

    async def checked(asker: Asker) -> None:
        await passwords.check(kept, "secret", asker)
        done.append(asker.rate_subject)

    await asyncio.gather(*(checked(ANN) for _ in range(10)), checked(BOB))
    assert done.index("bob") <= 4


async def test_no_room_looks_like_a_wrong_password(passwords: Passwords) -> None:
    """A room that does not exist is refused after a hash as well."""
    assert not await passwords.check(None, "secret", ANN)
    assert not await passwords.check(None, "decoy", ANN)


async def test_one_password_opens_however_it_is_typed(passwords: Passwords) -> None:
    """An accent in one character or two is one password, with hashes of older builds too."""
    composed, apart = "caf\u00e9", "cafe\u0301"
    kept = await passwords.hash(apart, ANN)
    assert await passwords.check(kept, composed, ANN)
    assert await passwords.check(kept, apart, ANN)
    assert not await passwords.check(kept, "cafe", ANN)
    older = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash
    for text in (apart, composed, "a\u200bb"):
        assert await passwords.check(older(text), text, ANN)
    assert await passwords.check(older(apart), composed, ANN)


async def test_a_password_that_cannot_be_is_refused(passwords: Passwords) -> None:
    """A new password with a hidden character is refused in a sentence that names it."""
    with pytest.raises(ChatError, match=r"U\+200B") as refused:
        await passwords.hash("a\u200bb", ANN)
    assert refused.value.code == "bad_request"


async def test_nobody_waits_for_stopped_threads(passwords: Passwords) -> None:
    """Whoever waits for a thread when the threads are stopped is told so, like all who come."""
    waiting = [asyncio.create_task(passwords.hash("secret", ANN)) for _ in range(6)]
    await asyncio.sleep(0)
    passwords.close()
    late = [asyncio.create_task(passwords.hash("secret", BOB)) for _ in range(6)]
    done, _ = await asyncio.wait([*waiting, *late], timeout=HANGS_AFTER)
    assert len(done) == len(waiting) + len(late)
    assert all(isinstance(task.exception(), RuntimeError) for task in late)
