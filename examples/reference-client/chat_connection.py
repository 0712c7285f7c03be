"""A user's connection to a cluster: addresses, tokens, pauses, requests and their answers.

Numbers in comments are the steps of "Writing a client".
"""

import asyncio
import contextlib
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from itertools import chain, count, repeat
from typing import Any
from urllib.parse import urlencode

from chat_limits import (
    SENDS,
    Data,
    Disconnected,
    Limits,
    Refused,
    Stopped,
    Unanswered,
    too_large,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

Json = Data | list[Any] | str | None
OnReply = Callable[[Any], object]

FINAL_CODES = {1008, 4400, 4403}  # another connection would end in the same way
TOKEN_CODES = {4401, 4408}  # only a fresh token helps
CROWDED_CODE, CROWDED_SECONDS = 4429, 5
FORBIDDEN, TOO_MANY_REQUESTS = 403, 429  # statuses of HTTP
TOO_BIG = 1009
ANSWER_SECONDS, RESUME_SECONDS, MAX_UNANSWERED = 30, 300, 3


def pauses() -> Iterator[float]:
    """Yield random pauses that grow from 0.25 s to 10 s, without end."""
    for longest in chain((0.25, 0.5, 1, 2, 4, 8), repeat(10)):
        yield random.uniform(0.5, 1) * longest


class Connection(ABC):
    """One user's connection to a cluster, made again whenever it is lost.

    What is said on it is the part of the class that inherits from this one.

    Args:
        addresses: Addresses of the cluster such as `ws://127.0.0.1:8081`, taken in turn.
        user: The user's name.
        token: Fetches a token, for servers that want one.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        user: str,
        token: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self.addresses, self.user, self.token = addresses, user, token
        self.ready = asyncio.Event()  # connected, and nothing is missing
        self.stopped: Stopped | None = None  # why it ended
        self._ids = count(1)
        self.limits = Limits()
        # Open requests: id -> the answer, what to do with the reply, and the bytes of the frame.
        self._open: dict[int, tuple[asyncio.Future[Any], OnReply | None, int]] = {}
        self._socket: ClientConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._moving, self._renewed, self._pauses = False, False, pauses()
        self._runner = asyncio.create_task(self._run())

    async def request(self, event: str, data: Json = None) -> Any:  # noqa: ANN401 - any JSON
        """Ask for something else. Raises `Disconnected` if it is not known whether it was done."""
        return await self._ask(event, data)

    async def close(self) -> None:
        """Disconnect for good."""
        await self._stop("closed by the caller")
        await self._runner

    # For the class that inherits.

    @abstractmethod
    def _handle(self, frame: Data) -> None:
        """Do what a frame asks for."""

    @abstractmethod
    async def _come_back(self) -> None:
        """Fetch what was missed, on a new connection."""

    def _disconnected(self) -> None:
        """Give up what belongs to the connection that was lost."""
        self._socket = None
        if not self.stopped:
            self.ready.clear()
        for task in self._tasks:
            task.cancel()
        for answer, *_ in self._open.values():
            if not answer.done():
                answer.set_exception(Disconnected())
                answer.exception()  # nobody may be waiting for it any more
        self._open = {}

    @abstractmethod
    def _ended(self, reason: str) -> None:
        """Take note that the client is stopped, and will not connect again."""

    # Requests and answers (3, 7).

    async def _ask(
        self,
        event: str,
        data: Json,
        on_reply: OnReply | None = None,
        *,
        again: bool = False,
        early: bool = False,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Ask until there is an answer that is final.

        Args:
            event: The name of an event, such as `message`.
            data: As JSON has it; a send has its `clientMsgId` already.
            on_reply: Runs before the next frame is looked at (3.5); the caller may run after it.
            again: Ask again also if a connection was lost meanwhile.
            early: Do not wait until what was missed is there.
        """
        waits, unanswered = pauses(), 0
        while True:
            if not early:
                await self.ready.wait()
            try:
                return await self._ask_once(event, data, on_reply)
            except Refused as error:
                if not error.retryable:
                    raise
                await asyncio.sleep(error.wait or next(waits))
            except Disconnected:
                if not again:
                    raise
            except Unanswered:
                unanswered += 1
                if not (again or early) or unanswered == MAX_UNANSWERED:  # not for ever (7.9)
                    raise
            if event in SENDS and isinstance(data, dict):
                data["resend"] = True

    async def _ask_once(
        self,
        event: str,
        data: Json,
        on_reply: OnReply | None = None,
        answer: asyncio.Future[Any] | None = None,
    ) -> Any:  # noqa: ANN401 - any JSON
        if self.stopped:
            raise self.stopped
        number, answer = next(self._ids), answer or asyncio.Future()
        frame = self.limits.frame(event, data, number)
        if not self._socket:
            raise Disconnected
        self._open[number] = answer, on_reply, len(frame)
        try:
            await self._socket.send(frame, text=True)
            seconds = RESUME_SECONDS if event == "resume" else ANSWER_SECONDS
            return await asyncio.wait_for(answer, seconds)
        except ConnectionClosed:
            if not self.stopped:
                self.ready.clear()
            raise Disconnected from None
        except TimeoutError:
            raise Unanswered(event) from None
        finally:
            self._open.pop(number, None)

    def _answered(self, frame: Data) -> None:
        answer, on_reply, _ = self._open.pop(frame["id"], (None, None, 0))
        event, data = frame["event"], frame.get("data")
        if answer and event == "reply" and on_reply:
            on_reply(data)
        if not answer or answer.done():
            return
        if event == "reply":
            answer.set_result(data)
        else:
            answer.set_exception(Refused(data))

    def _answers_unread(self, frame: Data) -> bool:
        """Give an error about a frame that could not be read the id of the only request (3.4)."""
        error = frame.get("data")
        if isinstance(error, dict) and error.get("code") == "bad_frame" and len(self._open) == 1:
            frame["id"] = next(iter(self._open))
        return "id" in frame

    def _refuse_largest(self) -> None:
        """Take the largest open request for the one that was too large (7.10)."""
        if self._open:
            number = max(self._open, key=lambda request: self._open[request][2])
            answer, _, size = self._open.pop(number)
            if not answer.done():
                answer.set_exception(too_large(size))

    # Connections (1, 2, 9, 12).

    async def _run(self) -> None:
        for attempt in count():
            if self.stopped:
                return
            code, least = await self._connect(self.addresses[attempt % len(self.addresses)])
            if code == TOO_BIG:
                self._refuse_largest()
            self._disconnected()
            if code in FINAL_CODES or (code in TOKEN_CODES and (self._renewed or not self.token)):
                await self._stop(f"refused by the server (close code {code})")
            elif not self.stopped and not self._moving:
                await asyncio.sleep(least + next(self._pauses))
            self._renewed, self._moving = code in TOKEN_CODES, False

    async def _connect(self, address: str) -> tuple[int | None, int]:
        """Connect until that ends; return the close code, and the seconds to wait at least."""
        named = {} if self.token else {"username": self.user}
        query = "?" + urlencode({"welcome": 1, **named})
        # The server's frames have no limit: a page of history may be megabytes.
        options = {"max_size": None, "ping_interval": 20, "ping_timeout": 10}
        try:
            async with connect(f"{address}/ws{query}", **options) as self._socket:
                self._spawn(self._begin())
                with contextlib.suppress(ConnectionClosed):
                    async for frame in self._socket:
                        self._handle(json.loads(frame))
        except InvalidStatus as refusal:
            if refusal.response.status_code == FORBIDDEN:
                return 1008, 0
            if refusal.response.status_code == TOO_MANY_REQUESTS:
                after = refusal.response.headers.get("Retry-After", "")
                return 1006, int(after) if after.isdigit() else CROWDED_SECONDS
            return 1006, 0
        except (OSError, TimeoutError, EOFError, InvalidHandshake):
            return 1006, 0
        code = self._socket.close_code
        return code, CROWDED_SECONDS if code == CROWDED_CODE else 0

    async def _begin(self) -> None:
        """Say who this is and get what was missed; only then do the callers' requests go on."""
        try:
            if self.token:
                await self._authenticate(self.token)
            await self._come_back()
        except Refused as error:
            # Else the server closes the connection, with the code that decides.
            if error.code != "unauthorized":
                await self._stop(str(error))
            return
        self._pauses, self._renewed = pauses(), False
        self.ready.set()

    async def _authenticate(self, token: Callable[[], Awaitable[str]]) -> None:
        reply = await self._ask("authenticate", {"token": await token()}, early=True)
        self._spawn(self._renew(0.8 * reply["expiresIn"], token))

    async def _renew(self, seconds: float, token: Callable[[], Awaitable[str]]) -> None:
        await asyncio.sleep(seconds)
        await self._authenticate(token)

    async def _move(self, seconds: float) -> None:
        """Leave a gateway that is stopping, before it does, but not before it has answered."""
        await asyncio.sleep(seconds)
        self.ready.clear()
        if answers := [answer for answer, *_ in self._open.values()]:
            await asyncio.wait(answers, timeout=5)
        self._moving = True
        if self._socket:
            await self._socket.close()

    async def _stop(self, reason: str) -> None:
        if not self.stopped:
            self.stopped = Stopped(reason)
            self.ready.set()  # whoever waits gets the `Stopped`
            self._ended(reason)
        if self._socket:
            await self._socket.close()

    def _spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Run this for as long as the connection is there."""

        async def until_disconnected() -> None:
            with contextlib.suppress(Disconnected, Stopped):
                try:
                    await work
                except Unanswered:  # a connection that answers nothing is of no use
                    if self._socket:
                        await self._socket.close()

        task = asyncio.create_task(until_disconnected())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
