"""Assembly of the rooms of a gateway."""

from gateway.api.backends import Backends
from gateway.api.gateway import Rooms
from gateway.connections.flusher import Flusher
from gateway.rooms.chat_follower import ChatFollower
from gateway.rooms.durability import Durability
from gateway.rooms.hub import Hub
from gateway.rooms.people.typing import TypingStatus
from gateway.rooms.store.chat_list import ChatList
from gateway.rooms.store.cursors import Cursors
from gateway.rooms.store.directory import Directory
from gateway.rooms.store.epoch_check import EpochCheck
from gateway.rooms.store.opener import RoomOpener
from gateway.rooms.store.pages.chat_pages import ChatPages
from gateway.rooms.store.pages.history import History
from gateway.rooms.store.pages.moderation_log import ModerationLog
from gateway.rooms.store.replay import Replay
from shared.broker.partitions.partitions import PartitionProbe
from shared.broker.partitions.reading import PartitionReader
from shared.broker.rooms.cursors import CursorBroker
from shared.broker.rooms.logs import LogBroker
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.rooms import RoomBroker
from shared.broker.rooms.wakes import WakeLog
from shared.config import Settings
from shared.storage.chats import ChatReader


def build_rooms(
    settings: Settings, links: Backends, check: EpochCheck, flusher: Flusher, publisher: Publisher
) -> Rooms:
    """Assemble the conversations: what is live, and what reads and writes the store."""
    keys, fence, reader = links.keys, links.fence, links.reader
    logs, chat_reader = LogBroker(*links.broker), ChatReader(reader)
    broker = RoomBroker(*links.broker, settings.backlog_of(len(keys)))
    directory, replay = Directory(broker, reader), Replay(logs, reader)
    RoomOpener(publisher, directory)
    hub = Hub(keys, replay, flusher)
    chats = ChatList(broker, logs, chat_reader, check, fence)
    history = History(logs, directory, reader, check, keys, fence)
    wakes = WakeLog(PartitionReader(links.reads, keys, fence))
    return Rooms(
        hub=hub,
        fan_out=hub.fan_out,
        follower=ChatFollower(hub, chats, wakes, keys, settings),
        directory=directory,
        history=history,
        replay=replay,
        acts=ModerationLog(logs, reader, directory, check, keys, fence),
        chats=chats,
        chat_pages=ChatPages(chats, history, settings.chats_limit),
        cursors=Cursors(CursorBroker(*links.broker, settings), directory, chat_reader),
        typing=TypingStatus(publisher, settings.wake_after, keys),
        durability=Durability(PartitionProbe(links.reads, keys, fence), reader),
        publisher=publisher,
    )
