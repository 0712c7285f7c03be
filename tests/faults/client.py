"""A client that follows docs/reference/writing-a-client.md."""

import asyncio
from collections import defaultdict
from typing import Any

from shared.model.ids import TOP
from tests.faults.history import History, Item, Operation, now
from tests.faults.line import CANNOT_CONNECT, Line, Lost, Then
from tests.faults.listener import Listener
from tests.faults.places import Message, Place
from tests.faults.resumer import PAGE, Resumer, pause
from tests.support.peer import Frame, Refusal, Wire


class Client:
    """A user's client, connected through the load balancer for as long as it runs.

    A place's era ends with the connection and with `resume_required`: what was accepted in an
    earlier era is sent again until `durable` covers it.

    Attributes:
        ready: set while it is connected and caught up.
        unsettled: what it sent and does not know to be durable, by clientMsgId.
    """

    def __init__(
        self, url: str, user: str, wire: Wire, places: list[Place], history: History
    ) -> None:
        self.user = user
        self.wire = wire
        self.places = {place.name: place for place in places}
        self.ready = asyncio.Event()
        self._chatting = asyncio.Lock()
        self.unsettled: dict[str, Message] = {}
        self.listener = Listener(user, self.places, history)
        self._url = url
        self._history = history
        self._eras: defaultdict[str, int] = defaultdict(int)
        self._sent = 0
        self._line: Line | None = None
        self._leaving = False
        self._unproven = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._resumer = Resumer(self.places, self.listener)

    def start(self) -> None:
        """Connect, and stay."""
        self._spawn(self._stay())
        self._spawn(self._prove())

    async def stop(self) -> None:
        """Close the connection and do not come back."""
        self._leaving = True
        if self._line is not None:
            await self._line.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def abort(self) -> None:
        """Lose the connection; the client comes back."""
        if self._line is not None:
            self._line.abort()
            self._count_ready(is_ready=False)

    async def send(self, place: Place, text: str = "") -> Message:
        """Send a message until it is accepted. A cancelled send is not kept."""
        self._sent += 1
        key = f"{self.user}.{self._sent}"
        message = Message(key, place.name, f"{key} {text}")
        self.unsettled[key] = message
        try:
            while not message.seq:
                await self._attempt(message)
        finally:
            if not message.seq:
                del self.unsettled[key]
        return message

    async def ask(self, operation: Operation, event: str, data: object, then: Then) -> bool:
        """Send one request and note its outcome. Return True on success."""
        if self._line is None or not self.ready.is_set():
            self._history.end(operation, "failed", "not connected")
            return False
        try:
            await self._line.request(event, data, then)
        except Refusal as refusal:
            for_good = "" if refusal.retryable else "for good: "
            self._history.end(operation, "failed", for_good + refusal.code)
        except Lost as lost:
            self._history.end(operation, "unknown", str(lost))
        else:
            return True
        await pause()
        return False

    async def simple(self, kind: str, place: Place, event: str, data: object, **about: Any) -> bool:  # noqa: ANN401 - fields of an operation
        """Send one request whose answer has no data."""
        await self.ready.wait()
        operation = self._history.begin(kind, self.user, place.name, **about)
        return await self.ask(operation, event, data, lambda _: self._history.end(operation, "ok"))

    async def read(self, place: Place, **page: int) -> list[Item] | None:
        """Read a page of history; None when it was refused or lost, or says that it is partial."""
        await self.ready.wait()
        operation = self._history.begin("history", self.user, place.name)

        def keep(answer: dict[str, Any]) -> None:
            items = [self.listener.item(entry) for entry in answer["items"]]
            # A page may end early, as its text is bounded too.
            low = page["after"] + 1 if "after" in page else items[0].seq if items else 0
            high = items[-1].seq if "after" in page and items else TOP
            covers = (low, high)
            self._history.end(
                operation, "ok", items=items, covers=covers, partial=answer["partial"]
            )

        if await self.ask(operation, "history", {**place.where, **page}, keep):
            return None if operation.partial else operation.items
        return None

    async def read_all(self, place: Place) -> list[Item]:
        """Read the whole history of a place."""
        found: list[Item] = []
        while True:
            page = await self.read(place, after=found[-1].seq if found else 0, limit=PAGE)
            if page is None:
                await pause()
                continue
            if not page:
                return found
            found += page

    async def delete(self, message: Message) -> bool:
        """Delete a message that this client sent. Return True if it is deleted for certain."""
        place = self.places[message.place]
        about = {"messageId": message.id}
        return await self.simple("delete", place, "deleteMessage", about, key=str(message.id))

    async def away(self, seconds: float) -> None:
        """Be offline for a while with an open connection, then catch up with the user's chats."""
        # Whatever one asks of a chat makes it heard again, with a hole: sends wait, and while a
        # history is loaded nobody goes.
        async with self._chatting:
            # Before the answer chats are still heard: a resume cannot name what it has of them.
            async with self._resumer.turn:
                may_go = self.ready.is_set() and not self._resumer.is_loading
                succeeded = may_go and await self.simple(
                    "away", Place("-"), "userOffline", self.user
                )
            if succeeded:
                await asyncio.sleep(seconds)
                await self._come_back()

    async def _come_back(self) -> None:
        line = self._line
        if line is None or not self.ready.is_set():
            return  # it comes back online with its next connection
        try:
            await self._resumer.resume(line, [p.name for p in self.places.values() if p.chat])
            await self._resumer.come_online(line)
        except Lost:
            pass

    async def _attempt(self, message: Message) -> None:
        """Send a message once."""
        await self.ready.wait()
        place = self.places[message.place]
        if place.chat:
            async with self._chatting:
                to = {"senderId": self.user, "receiverId": place.other}
                await self._attempt_as(message, "sendMessage", to)
        else:
            await self._attempt_as(message, "message", {"room": place.room})

    async def _attempt_as(self, message: Message, event: str, to: dict[str, str]) -> None:
        era = self._eras[message.place]
        operation = self._history.begin("send", self.user, message.place, message.key)

        def accept(answer: dict[str, Any]) -> None:
            message.seq, message.id, message.era = answer["seq"], answer["id"], era
            self._history.end(operation, "ok", seq=answer["seq"], id=answer["id"])
            if era != self._eras[message.place]:
                self._unproven.set()

        words = {"content": message.content, "clientMsgId": message.key}
        again = {"resend": True} if message.tried or message.seq else {}
        await self.ask(operation, event, {**to, **words, **again}, accept)
        message.tried = message.tried or operation.outcome == "unknown"

    async def _stay(self) -> None:
        while not self._leaving:
            try:
                query = f"username={self.user}&durable=1"
                line = await Line.open(self._url, query, self.wire, self._receive)
            except CANNOT_CONNECT:
                await pause()
                continue
            self._line = line
            try:
                await self._enter(line)
                await line.ended()
            except Lost:
                line.abort()
            finally:
                self._line = None
                self._count_ready(is_ready=False)
            await pause()

    async def _enter(self, line: Line) -> None:
        """Catch up, go online, and send again what is not durable."""
        await self._resumer.resume(line, list(self.places))
        await self._resumer.come_online(line)
        self._count_ready(is_ready=True)
        self._end_era(list(self.places))

    def _receive(self, frame: Frame) -> None:
        match frame["event"]:
            case "durable":
                name = self.listener.place_of(frame)
                self._settle(name, frame["data"]["seq"])
            case "resume_required":
                names = self.listener.places_named(frame["data"])
                self._end_era(names)
                self.listener.doubt(names)
                self._spawn(self._resume_again(names))
            case "reconnect":
                self._spawn(self._go(frame["data"]["afterMs"] / 1000))
            case _:
                self.listener.receive(frame)

    async def _resume_again(self, names: list[str]) -> None:
        line = self._line
        if line is None:
            return
        try:
            await self._resumer.resume(line, names, doubted=True)
        except Lost:
            line.abort()

    async def _go(self, after: float) -> None:
        """Connect to another gateway, after all requests are answered."""
        line = self._line
        await asyncio.sleep(after)
        self._count_ready(is_ready=False)
        for _ in range(20):
            if line is None or line.quiet:
                break
            await asyncio.sleep(0.05)
        if line is not None:
            await line.close()

    def _settle(self, place: str, seq: int) -> None:
        """Note that everything accepted in this era up to a seq is durable."""
        for message in list(self.unsettled.values()):
            now_accepted = message.place == place and message.era == self._eras[place]
            if now_accepted and 0 < message.seq <= seq:
                del self.unsettled[message.key]
                self._history.words.append(self.listener.word(place, message.key, message.seq))

    def _end_era(self, places: list[str]) -> None:
        for place in places:
            self._eras[place] += 1
        self._unproven.set()

    async def _prove(self) -> None:
        """Send again what was accepted in an earlier era, oldest first."""
        while True:
            await self._unproven.wait()
            await self.ready.wait()
            old = [
                message
                for message in self.unsettled.values()
                if message.seq and message.era != self._eras[message.place]
            ]
            if not old:
                self._unproven.clear()
                continue
            await self._attempt(min(old, key=lambda message: message.seq))

    def _count_ready(self, *, is_ready: bool) -> None:
        if is_ready != self.ready.is_set():
            (self.ready.set if is_ready else self.ready.clear)()
            before = self._history.connected[-1][1] if self._history.connected else 0
            self._history.connected.append((now(), before + (1 if is_ready else -1)))

    def _spawn(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._history.failures.append(error)  # of the suite, not of the cluster
