"""A chat client, written from the protocol's pages: Python's standard library and `websockets`.

It shows every message once, in the order of its room, whatever happens to connections and gateways.
Numbers in comments are the steps of "Writing a client".
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chat_connection import Connection, Json, pauses
from chat_limits import Data, Refused

MAX_RESUMED_PLACES, PAGE_ITEMS = 1000, 100


@dataclass(eq=False)
class Place:
    """A room or a direct chat, and how far this client has come in it."""

    kind: str  # "room" or "chatId", as in the frames
    name: str | int
    last: int = 0  # `seq` of the newest event shown
    password: str | None = None
    grant: str | None = None
    since: set[int] = field(default_factory=set)  # where a `resume` has yet to succeed from
    resume: asyncio.Future[Any] | None = None  # the answer to the newest `resume` that named it
    # seq -> event, kept aside while what is before them is read.
    held: dict[int, tuple[str, Data]] = field(default_factory=dict)
    reader: asyncio.Task[None] | None = None  # the task that reads it


Listen = Callable[[str, Place | None, Any], object]


class Client(Connection):
    """A user's rooms and direct chats, for as long as `close` is not called.

    Args:
        addresses: Addresses of the cluster such as `ws://127.0.0.1:8081`, taken in turn.
        user: The user's name.
        listen: Called with `(event, place, data)` for each of the server's events, in order and
            once; the place is None for those of no room or chat. It also gets `reset` (forget what
            was shown of this place, it comes anew), `lost` (this place cannot be entered again)
            and `stopped`.
        token: Fetches a token, for servers that want one.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        user: str,
        listen: Listen,
        token: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self.listen = listen
        self.places: dict[tuple[str, str | int], Place] = {}
        # One send at a time in each place keeps their order (7.6).
        self._order: dict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._resumer: asyncio.Task[None] | None = None
        self._histories: dict[str, list[Data]] = {}
        self._chats: list[Data] = []
        self._chats_known = False
        super().__init__(addresses, user, token)

    async def join(self, room: str, password: str | None = None) -> Data:
        """Enter a room."""
        place = Place("room", room, password=password)

        def joined(reply: Data) -> None:
            self._joined(place, reply)

        return await self._ask("joinRoom", self._entry(place), joined, again=True)

    async def leave(self, room: str) -> Data:
        """Leave a room."""
        left = partial(self._forget, "room", room)
        return await self._ask("leaveRoom", {"room": room}, lambda _: left(), again=True)

    async def send(self, room: str, content: str) -> Data:
        """Send a message to a room."""
        return await self._send("message", ("room", room), {"room": room, "content": content})

    async def send_to(self, user: str, content: str) -> Data:
        """Send a direct message."""
        data = {"senderId": self.user, "receiverId": user, "content": content}
        return await self._send("sendMessage", ("to", user), data)

    async def _send(self, event: str, order: tuple[str, str], data: Data) -> Data:
        async with self._order[order]:
            return await self._ask(event, data | {"clientMsgId": str(uuid.uuid4())}, again=True)

    # Frames, one after the other (3, 5, 6).

    def _handle(self, frame: Data) -> None:
        event, data = frame["event"], frame.get("data")
        fields = data if isinstance(data, dict) else {}
        room, chat = (frame.get(name, fields.get(name)) for name in ("room", "chatId"))
        if event == "welcome":
            self.limits.take(fields)
        elif event in ("reply", "error") and ("id" in frame or self._answers_unread(frame)):
            self._answered(frame)
        elif (room or chat) and all(type(fields.get(name)) is int for name in ("seq", "prev")):
            place = self.places.get(("room", room))
            if chat:  # not listed is new; without a list, go on from this event
                place = self._chat(chat, 0 if self._chats_known else fields["prev"])
            if place:
                self._take(place, event, fields)
        else:
            self._note(event, room, data)
            place = self.places.get(("room", room), self.places.get(("chatId", chat)))
            self.listen(event, place, data)

    def _note(self, event: str, room: str, data: Any) -> None:  # noqa: ANN401 - any JSON
        """Keep what an event of no room's order says about this client."""
        if event == "messageHistory":
            self._histories[room] = data
        elif event == "chatsList":
            self._chats = data
        elif event == "newChat":
            self._chat(data["id"], 0)
        elif event == "chatDeleted":
            self._forget("chatId", data["id"])
        elif event == "reconnect":
            self._spawn(self._move(data["afterMs"] / 1000))
        elif event == "resume_required":
            keys = [("room", name) for name in data["rooms"]]
            keys += [("chatId", name) for name in data["chats"]]
            for place in (self.places[key] for key in keys if key in self.places):
                place.since.add(place.last)
            self._resume_behind()

    def _take(self, place: Place, event: str, data: Data) -> None:
        if data["seq"] <= place.last:
            return
        # In what a resume brings there are gaps where something was deleted (9.5).
        resuming = place.resume and not place.resume.done()
        if resuming or (data["prev"] <= place.last and not place.reader):
            self._show(place, event, data)
            return
        place.held[data["seq"]] = event, data
        if not place.reader:
            place.reader = self._spawn(self._close_gaps(place))

    def _show(self, place: Place, event: str, data: Data) -> None:
        place.last = data["seq"]
        if not data.get("deleted"):
            self.listen(event, place, data)
        if event in ("kicked", "banned") and str(data["user"]) == str(self.user):  # 13
            self._forget(place.kind, place.name)

    async def _close_gaps(self, place: Place) -> None:
        while place.held:
            seq, (event, data) = min(place.held.items(), key=lambda item: item[0])
            if (end := data["prev"]) > place.last:
                page = await self._page(place, after=place.last)
                self._show_page(place, page["items"], end)
                reached = end if page["next"] is None else min(page["next"], end)
                place.last = max(place.last, reached)  # what is still missing was no message
                if place.last < end:
                    continue
            place.held.pop(seq, None)
            if seq > place.last:
                self._show(place, event, data)
        place.reader = None

    async def _page(self, place: Place, after: int) -> Data:
        question = {place.kind: place.name, "limit": PAGE_ITEMS, "after": after}
        waits = pauses()
        while True:
            try:
                page = await self._ask("history", question, early=True)
            except Refused:  # put out meanwhile, of which an event tells that is kept aside
                return {"items": [], "next": None}
            if not page["partial"]:
                return page
            await asyncio.sleep(next(waits))

    def _show_page(self, place: Place, items: list[Data], end: int) -> None:
        for item in items:
            if place.last < item["seq"] <= end:
                self._show(place, "message" if place.kind == "room" else "newMessage", item)

    # Entering, and coming back (4, 9, 10, 11).

    def _entry(self, place: Place) -> Data:
        keys = {"password": place.password, "grant": place.grant}  # either will do
        return {"room": place.name} | {name: key for name, key in keys.items() if key}

    def _joined(self, place: Place, reply: Data) -> None:
        before = self.places.get((place.kind, place.name))
        if before and before.reader:
            before.reader.cancel()
        self.places[place.kind, place.name] = place
        place.last, place.since, place.held, place.grant = 0, set(), {}, reply.get("grant")
        self.listen("reset", place, None)
        self._show_page(place, self._histories.pop(str(place.name)), reply["head"])
        place.last = reply["head"]

    def _chat(self, chat: int, last: int) -> Place:
        return self.places.setdefault(("chatId", chat), Place("chatId", chat, last))

    def _list_chats(self, reply: Json) -> None:
        for chat in self._chats:
            newest = chat["lastMessage"]
            if not self._chats_known:
                self._chat(chat["id"], newest["seq"] if newest else 0)
            elif newest:  # as if it came now: a chat that began meanwhile is read from its start
                self._take(self._chat(chat["id"], 0), "newMessage", newest)
        self._chats_known |= reply.get("next") is None

    def _forget(self, kind: str, name: str | int) -> None:
        self.places.pop((kind, name), None)

    def _ended(self, reason: str) -> None:
        self.listen("stopped", None, {"message": reason})

    def _disconnected(self) -> None:
        super()._disconnected()
        self._resumer = None
        for place in self.places.values():
            place.since.add(place.last)
            place.reader, place.held = None, {}

    async def _come_back(self) -> None:
        await self._resume_behind()
        await self._ask("userOnline", self.user, early=True)  # after the resume (11.4)
        asked: Json = {"userId": self.user}
        while asked:  # page by page (11.2)
            reply = await self._ask("getChats", asked, self._list_chats, early=True)
            asked = reply.get("next") and {**asked, "before": reply["next"]}

    def _resume_behind(self) -> asyncio.Task[None]:
        if not self._resumer or self._resumer.done():
            self._resumer = self._spawn(self._resume())
        return self._resumer

    async def _resume(self) -> None:
        waits, most = pauses(), MAX_RESUMED_PLACES
        while behind := [place for place in self.places.values() if place.since]:
            try:
                absent = await self._resume_once(behind[:most])
            except Refused as error:
                if error.code == "too_long" and most > 1:  # the frame, so in smaller parts (9.3)
                    most = min(most, len(behind)) // 2
                    continue
                if error.retryable:  # again, from the same position
                    await asyncio.sleep(error.wait or next(waits))
                    continue
                absent = behind[:most]
            for place in absent:
                await self._enter_again(place)

    async def _resume_once(self, behind: list[Place]) -> list[Place]:
        """Return the places that this user is not in."""
        asked = {place: min(place.since) for place in behind}  # the lower one first (10.3)
        answer: asyncio.Future[Any] = asyncio.Future()
        for place in behind:
            if place.reader:
                place.reader.cancel()
            place.resume, place.reader = answer, None
        rooms = {place.name: since for place, since in asked.items() if place.kind == "room"}
        chats = {str(place.name): since for place, since in asked.items() if place.kind == "chatId"}
        grants = {place.name: place.grant for place in behind if place.grant}
        absent: list[Place] = []

        def resumed(reply: Data) -> None:
            self._resumed(asked, reply, absent)

        question = {"rooms": rooms, "chats": chats, "grants": grants}
        await self._ask_once("resume", question, resumed, answer)
        return absent

    def _resumed(self, asked: dict[Place, int], reply: Data, absent: list[Place]) -> None:
        for place, since in asked.items():
            answer = reply["rooms" if place.kind == "room" else "chats"][str(place.name)]
            place.since.discard(since)
            if answer["recovered"]:
                place.last = max(place.last, answer["head"])
                if place.held:
                    place.reader = self._spawn(self._close_gaps(place))
            elif place.kind == "chatId" and answer["head"]:  # lost in part: all of it anew
                place.last, place.since = 0, {0}
                self.listen("reset", place, None)
            elif self.places.get((place.kind, place.name)) is place:  # else put out meanwhile
                absent.append(place)

    async def _enter_again(self, place: Place) -> None:
        def joined(reply: Data) -> None:
            self._joined(place, reply)

        try:
            if place.kind == "room":
                await self._ask("joinRoom", self._entry(place), joined, early=True)
                return
        except Refused:
            pass
        self._forget(place.kind, place.name)
        self.listen("lost", place, None)
