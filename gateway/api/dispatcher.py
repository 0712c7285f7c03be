"""Dispatch of a client's frames to actions, and of their outcomes to replies."""

import asyncio
from collections.abc import Callable
from functools import partial
from types import CoroutineType
from typing import Any, Final

from gateway.access.rates.limits import PendingPermit, Shed
from gateway.access.tokens import Bearer
from gateway.api import login
from gateway.api.actions import EVENTS, Action, perform
from gateway.api.gateway import Gateway
from gateway.api.outcome import AlreadyReported, BackgroundReply, PendingSend, ReplyThen
from gateway.connections.connection import CLOSE_TIMEOUT_SECONDS, State
from gateway.connections.intake import Intake
from gateway.protocols.frames import Frame
from gateway.protocols.request_ids import RequestId
from gateway.rooms.client import Client
from shared.broker.rooms.send import Send
from shared.errors import ChatError
from shared.protocol.closes import CloseCode
from shared.protocol.errors import Code
from shared.telemetry import logger

FLOOD_CODES: Final[frozenset[Code]] = frozenset(
    {"bad_frame", "unknown_event", "unauthorized", "rate_limited"}
)
"""Codes of errors that count towards the limit of refusals of a connection.

What cannot be read counts as well, whatever its code: no rate of an action has counted it.
"""

log = logger(__name__)


class Dispatcher:
    """Handles the frames of a client, one after the other.

    Attributes:
        under_way: number of sends without a reply yet.
    """

    __slots__ = (
        "_client",
        "_connection",
        "_gateway",
        "_intake",
        "_limits",
        "_tasks",
        "_waiting",
        "under_way",
    )

    def __init__(self, gateway: Gateway, client: Client, intake: Intake | None) -> None:
        self._intake = intake
        self._gateway = gateway
        self._client = client
        self._connection = client.connection
        self._limits = gateway.access.limits
        self._tasks: set[asyncio.Task[None]] = set()
        self.under_way = 0
        self._waiting: list[asyncio.Future[None]] = []

    def dispatch(self, data: Any) -> BackgroundReply | None:  # noqa: ANN401 - as the format's `parse` takes it
        """Handle a frame; errors are answered to the client, never raised.

        Returns:
            None once the frame is handled, or a coroutine to await before the next frame.
        """
        client, wire = self._client, self._connection.wire
        try:
            frame = wire.parse(data)
        except ChatError as error:
            self.refuse_frame(wire.request_id(data), error)
            return None
        request = frame.id
        try:
            if client.login is not None and frame.event != "authenticate":
                return self._dispatch_as_guest(request, data, login.guest(self._gateway))
            action = EVENTS.get(frame.event)
            if action is None:
                raise ChatError("unknown_event", "there is no event of this name")  # noqa: TRY301
            limits = self._limits
            permit = None if limits is None else limits.ask(action.rate, client)
            if permit or (action.long_answer and not self._connection.takes_more()):
                return self._await(request, self._perform_later(permit, action, frame))
            outcome = perform(self._gateway, action, client, wire.command(frame, action.command))
            if isinstance(outcome, CoroutineType):
                return self._await(request, outcome)
            self._answer(request, outcome)
        except Exception as error:  # noqa: BLE001 - `_failed` tells errors apart
            self._failed(request, error)
        return None

    def refuse_frame(self, request: RequestId | None, error: ChatError) -> None:
        """Answer a frame that cannot be read, and count it towards the limit of refusals."""
        if not self._is_refused_too_often():
            self._connection.refuse(request, error)

    async def wait_until_fewer_than(self, count: int) -> None:
        """Wait until fewer than `count` sends are without a reply."""
        while self.under_way >= count:
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(changed)
            await changed

    async def _dispatch_as_guest(
        self,
        request: RequestId | None,
        data: Any,  # noqa: ANN401 - as `dispatch` takes it
        guest: Bearer,
    ) -> None:
        """Log the client in as a guest, and handle the frame as one of the guest."""
        try:
            await login.enter_as_guest(self._gateway, self._client, guest)
        except Exception as error:  # noqa: BLE001 - `_failed` tells errors apart
            self._failed(request, error)
            return
        if (pending := self.dispatch(data)) is not None:
            await pending

    async def _perform_later(
        self, permit: PendingPermit | None, action: Action, frame: Frame
    ) -> object:
        """Handle a frame once the rate limit permits it, and a long answer can be taken."""
        if permit is not None:
            await permit
        if action.long_answer:
            await self._connection.wait_until_low()
        command = self._connection.wire.command(frame, action.command)
        outcome = perform(self._gateway, action, self._client, command)
        return await outcome if isinstance(outcome, CoroutineType) else outcome

    async def _await(self, request: RequestId | None, outcome: BackgroundReply) -> None:
        try:
            self._answer(request, await outcome)
        except Exception as error:  # noqa: BLE001 - `_failed` tells errors apart
            self._failed(request, error)

    def _answer(self, request: RequestId | None, outcome: object) -> None:
        """Reply with a handler's outcome, now or once the outcome is complete."""
        if isinstance(outcome, PendingSend):
            self.under_way += 1
            outcome.sent.when_done(partial(self._send_done, request, outcome.reply))
        elif isinstance(outcome, CoroutineType):
            self.under_way += 1
            task = asyncio.create_task(self._await(request, outcome))
            self._tasks.add(task)
            task.add_done_callback(self._task_done)
        elif isinstance(outcome, ReplyThen):
            self._connection.reply(request, outcome.reply)
            outcome.then()
        else:
            self._connection.reply(request, {} if outcome is None else outcome)

    def _send_done(
        self, request: RequestId | None, reply: Callable[[Send], object], sent: Send
    ) -> None:
        self._decrease_under_way()
        try:
            self._answer(request, reply(sent))
        except Exception as error:  # noqa: BLE001 - `_failed` tells errors apart
            self._failed(request, error)

    def _task_done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._decrease_under_way()

    def _decrease_under_way(self) -> None:
        self.under_way -= 1
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for changed in waiting:
                if not changed.done():
                    changed.set_result(None)

    def _failed(self, request: RequestId | None, error: Exception) -> None:
        if isinstance(error, ChatError):
            login.note_refusal(self._gateway, self._client, error)
        if _is_of_a_flood(error) and self._is_refused_too_often():
            return
        if isinstance(error, Shed):
            self._connection.reply(request, {})
            return
        if not isinstance(error, ChatError):
            log.error("handler failed", sid=self._connection.sid, exc_info=error)
            error = ChatError("internal", "an unexpected error occurred on the server")
        if request is not None or not isinstance(error, AlreadyReported):
            self._connection.refuse(request, error)

    def _is_refused_too_often(self) -> bool:
        """Count a refusal; if there are too many, close the connection and return True."""
        too_often = self._intake is not None and self._intake.refuse()
        if too_often and self._connection.state is State.OPEN:
            if self._limits is not None:
                self._limits.note_refusal("refusals", self._client)
            self._connection.end(CloseCode.TOO_MANY_REQUESTS)
            # A client that floods may not read, so the close frame alone would not end it.
            self._connection.abort_in(CLOSE_TIMEOUT_SECONDS)
        return too_often


def _is_of_a_flood(error: Exception) -> bool:
    """Return True for an error that counts towards the limit of refusals."""
    return isinstance(error, Shed) or (isinstance(error, ChatError) and error.code in FLOOD_CODES)
