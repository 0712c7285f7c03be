"""The listener of a client, which notes the events that it receives."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from tests.faults.history import Delivery, Doubt, History, Item, SeenTold, Word, now
from tests.faults.places import Place
from tests.support.peer import Frame


class Listener:
    """Notes the events of one client.

    Attributes:
        user: whose.
        last: the last event it has of each place: where it goes on after a reconnect.
        again: places that are resumed from below what the client has: what it has already it
            passes over.
        typing: how often it was told that somebody types.
        lagged: how often it was told that it does not read fast enough.
    """

    def __init__(self, user: str, places: Mapping[str, Place], history: History) -> None:
        self.last: defaultdict[str, int] = defaultdict(int)
        self.again: set[str] = set()
        self._doubts: defaultdict[str, list[int]] = defaultdict(list)
        self._has: defaultdict[str, set[int]] = defaultdict(set)
        self.typing = 0
        self.lagged = 0
        self.user = user
        self._history = history
        self._names = {place.chat or place.room: name for name, place in places.items()}

    def receive(self, frame: Frame) -> None:
        """Take an event."""
        data: Any = frame.get("data")
        match frame["event"]:
            case "message" | "newMessage":
                self._told(self.place_of(frame), "message", data["seq"], data["id"], key(data))
            case "messageDeleted":
                target = str(data["messageId"])
                self._told(self.place_of(frame), "deleted", data["seq"], 0, target)
            case "deleteMessages":
                self._told(self.place_of(frame), "cleared", data["seq"], 0, "")
            case "seen":
                told = SeenTold(
                    now(), self.user, str(data["user"]), self.place_of(frame), data["seq"]
                )
                self._history.seen.append(told)
            case "onlineUsers":
                self._history.online[self.user] = frozenset(map(str, data))
            case "typing":
                self.typing += 1
            case "lagged":
                self.lagged += 1
            case _:
                pass  # notifications, and what says nothing that is checked

    def doubt(self, names: Iterable[str]) -> None:
        """Remember where the client is now in some places: a resume is to go on from there."""
        for name in names:
            self._doubts[name].append(self.last[name])
            self._history.doubts.append(Doubt(now(), self.user, name))

    def doubts(self, name: str) -> int:
        """The number of doubts about a place since its last successful resume."""
        return len(self._doubts[name])

    def since(self, name: str) -> int:
        """The seq to resume from: the first one in doubt, whatever was received since."""
        since = min([*self._doubts[name], self.last[name]])
        if since < self.last[name]:
            self.again.add(name)
        return since

    def settled(self, name: str, doubts: int, since: int) -> None:
        """Note a successful resume that was requested after so many doubts.

        Those at later places stay: what the client had there may be lost all the same.
        """
        asked, later = self._doubts[name][:doubts], self._doubts[name][doubts:]
        self._doubts[name] = [at for at in asked if at > since] + later
        if not self._doubts[name]:
            self.again.discard(name)

    def reset(self, place: str, head: int) -> None:
        """Drop what the client has of a place, because it cannot resume from there."""
        self._doubts[place] = [head] * len(self._doubts[place])
        self._has[place].clear()
        self._told(place, "reset", head, 0, "")

    def loaded(self, place: str, items: list[dict[str, Any]]) -> None:
        """Note a page of history that was read after a reset."""
        for item in map(self.item, items):
            if not item.deleted:
                self._history.deliveries.append(
                    Delivery(
                        *(now(), self.user, place, "message"),
                        *(item.seq, item.id, item.key, "history"),
                    )
                )

    def item(self, data: dict[str, Any]) -> Item:
        """A message of a history."""
        deleted = bool(data.get("deleted"))
        return Item(data["seq"], data["id"], "" if deleted else key(data), deleted)

    def word(self, place: str, message_key: str, seq: int) -> Word:
        """Note that a message is durable."""
        return Word(now(), self.user, place, message_key, seq)

    def place_of(self, frame: Frame) -> str:
        """The name of the place an event happened in."""
        data = frame.get("data")
        inner = data if isinstance(data, dict) else {}
        where: Any = (
            frame.get("chatId") or frame.get("room") or inner.get("chatId") or inner.get("room")
        )
        return self._names[where]

    def places_named(self, data: dict[str, Any]) -> list[str]:
        """The names of the rooms and chats of a `resume_required`."""
        return [self._names[where] for where in (*data["rooms"], *data["chats"])]

    def _told(self, place: str, kind: Any, seq: int, event_id: int, text: str) -> None:  # noqa: ANN401 - the kinds of a delivery
        again = place in self.again and kind != "reset"
        if again and seq in self._has[place]:
            return
        self._has[place].add(seq)
        self.last[place] = seq if kind == "reset" else max(seq, self.last[place])
        source: Literal["live", "again"] = "again" if again else "live"
        self._history.deliveries.append(
            Delivery(now(), self.user, place, kind, seq, event_id, text, source)
        )


def key(data: dict[str, Any]) -> str:
    """The clientMsgId of a message of the suite, with which its content begins."""
    return str(data["content"]).partition(" ")[0]
