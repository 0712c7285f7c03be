"""Pipelined commands: those of one turn of the event loop leave in one write.

It is for frequent commands, as a call through redis-py takes ten times the CPU. A pipe connects to
one server only. Rare commands go through `client`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from shared.broker.scripts import digest, source
from shared.broker.transport.client import TRANSIENT_ERROR_PREFIXES
from shared.broker.transport.resp import RespConnection, Word, open_connection, pack
from shared.telemetry import logger

ANSWER_TIMEOUT_SECONDS: Final = 5.0
"""Seconds to wait for a reply. Then the connection is dropped and its calls have failed."""

REFUSAL_PREFIXES: Final = (*TRANSIENT_ERROR_PREFIXES, "READONLY", "OOM")
"""Error prefixes of replies by which a server refuses every command for a while."""

ReplyCallback = Callable[[Any], object]
"""Takes a reply, strings as bytes, or the exception that came instead.

It is called while the connection is read, without a turn of the event loop in between. So what it
writes to clients leaves together with what other replies and pushes of the same read write.
redis-py's ConnectionError stands for a missing reply and for a server that refuses every command
for a while, ResponseError for all other errors.
"""

log = logger(__name__)


class Pipe:
    """A connection for commands; the first command connects.

    Replies come in the order of the calls. A call fails if the connection ends before its reply.
    The server may have executed it or not, so a pipe never repeats a call.
    """

    def __init__(self, url: str, timeout: float = ANSWER_TIMEOUT_SECONDS) -> None:
        """Prepare; nothing connects yet.

        Args:
            url: redis://, rediss:// or unix://.
            timeout: seconds to wait for a reply.
        """
        self._url = url
        self._timeout = timeout
        self._waiting: deque[tuple[float, ReplyCallback]] = deque()
        self._unsent: list[bytes] = []
        self._connection: RespConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._timeout_timer: asyncio.TimerHandle | None = None

    def ask(self, command: bytes, on_reply: ReplyCallback) -> None:
        """Send a packed command. `on_reply` gets the reply, never before this method returns."""
        loop = asyncio.get_running_loop()
        if not self._unsent:
            loop.call_soon(self._flush)
        self._unsent.append(command)
        self._waiting.append((loop.time(), on_reply))
        if self._timeout_timer is None:
            self._timeout_timer = loop.call_later(self._timeout, self._check_timeout)

    def call(self, command: bytes) -> "asyncio.Future[Any]":
        """Send a packed command; return a future of the reply."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.ask(command, partial(_settle, reply))
        return reply

    def renew(self) -> None:
        """Drop the connection to a server that a failover left behind; the next call reconnects."""
        self._fail(RedisConnectionError("the server was left behind by a failover"))

    def close(self) -> None:
        """Drop the connection; calls that wait for a reply fail."""
        if self._connecting is not None:
            self._connecting.cancel()
        self._fail(RedisConnectionError("closed"))

    def _flush(self) -> None:
        if self._connection is not None:
            unsent, self._unsent = self._unsent, []
            self._connection.write(b"".join(unsent))
        elif self._connecting is None and self._unsent:
            self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            connection = await open_connection(self._url, self._on_reply)
        except (OSError, TimeoutError) as error:
            self._fail(RedisConnectionError(f"the broker cannot be reached: {error}"))
            return
        finally:
            self._connecting = None
        self._connection = connection
        connection.ended.add_done_callback(self._lost)
        self._flush()

    def _on_reply(self, reply: Any) -> None:  # noqa: ANN401 - whatever the server answers
        _, on_reply = self._waiting.popleft()
        if isinstance(reply, hiredis.ReplyError):
            text = str(reply)
            refused = text.startswith(REFUSAL_PREFIXES)
            reply = RedisConnectionError(text) if refused else ResponseError(text)
        _deliver(on_reply, reply)

    def _lost(self, ended: "asyncio.Future[None]") -> None:
        self._fail(RedisConnectionError(f"the broker's connection ended: {ended.exception()}"))

    def _fail(self, error: Exception) -> None:
        """Drop the connection; every call that waits for a reply gets the error."""
        connection, self._connection = self._connection, None
        waiting, self._waiting = self._waiting, deque()
        self._unsent.clear()
        if connection is not None:
            connection.end(error)
        for _, on_reply in waiting:
            _deliver(on_reply, error)

    def _check_timeout(self) -> None:
        """Drop the connection if its oldest call has waited too long."""
        self._timeout_timer = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        left = self._waiting[0][0] + self._timeout - loop.time()
        if left > 0:
            self._timeout_timer = loop.call_later(left, self._check_timeout)
        else:
            self._fail(RedisConnectionError("the broker does not answer"))


class PipedScript:
    """A Lua script on a pipe, called by its digest and sent again if the server lost it."""

    def __init__(self, pipe: Pipe, name: str) -> None:
        self._pipe = pipe
        self._source = source(name)
        self._digest = digest(name)

    async def __call__(self, keys: Sequence[str], args: Sequence[Word]) -> Any:  # noqa: ANN401 - each script answers differently
        """Run the script. Its first comment describes the answer; strings come as bytes."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.ask(keys, args, partial(_settle, answer))
        return await answer

    def ask(self, keys: Sequence[str], args: Sequence[Word], on_reply: ReplyCallback) -> None:
        """Run the script; `on_reply` gets the answer, or the exception that came instead."""

        def retry_unknown_script(answer: Any) -> None:  # noqa: ANN401 - whatever the script answers
            if isinstance(answer, ResponseError) and str(answer).startswith("NOSCRIPT"):
                self._pipe.ask(pack("EVAL", self._source, len(keys), *keys, *args), on_reply)
            else:
                on_reply(answer)

        self._pipe.ask(pack("EVALSHA", self._digest, len(keys), *keys, *args), retry_unknown_script)


def _deliver(on_reply: ReplyCallback, reply: Any) -> None:  # noqa: ANN401 - as Take
    try:
        on_reply(reply)
    except Exception:  # the replies behind it are for others
        log.exception("a callback of a reply failed")


def _settle(waiting: "asyncio.Future[Any]", reply: Any) -> None:  # noqa: ANN401 - as Take
    if waiting.done():
        return  # the caller was cancelled
    if isinstance(reply, Exception):
        waiting.set_exception(reply)
    else:
        waiting.set_result(reply)
