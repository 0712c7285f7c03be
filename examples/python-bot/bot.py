"""A bot that rolls dice: it answers `!roll 2d6` in a room.

python bot.py [URL] [ROOM]
"""

import asyncio
import random
import re
import sys

from parley_chat import ChatClient, ChatError, Message

ROLL = re.compile(r"!roll (\d{1,2})d(\d{1,4})")


async def main(url: str = "http://127.0.0.1:8080", room: str = "general") -> None:
    """Answer until the process is stopped."""
    async with ChatClient(url, username="dice") as bot:
        try:
            await bot.create_room(room)
        except ChatError as error:
            if error.code != "room_exists":
                raise
        await bot.join_room(room)
        print(f"dice is in {room}", flush=True)
        async for event in bot.events():
            if not isinstance(event, Message):
                continue
            if (roll := ROLL.fullmatch(event.content)) and event.sender != bot.username:
                count, sides = int(roll[1]), max(1, int(roll[2]))
                rolled = ", ".join(str(random.randint(1, sides)) for _ in range(count))
                await bot.send(room, f"{event.sender} rolled {rolled}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
