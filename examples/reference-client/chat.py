"""The client of `chat_client` in a terminal.

    python chat.py --user ann --room garden ws://127.0.0.1:8081 ws://127.0.0.1:8082

Then a line is a message to the room, and `@bob hello` is a direct message to bob.
"""

import argparse
import asyncio
import sys

from chat_client import Client, Place
from chat_limits import Data, Refused, Unanswered


async def main() -> None:
    """Talk in a terminal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("addresses", nargs="+")
    parser.add_argument("--user", required=True)
    parser.add_argument("--room", default="lobby")
    options = parser.parse_args()

    def listen(event: str, place: Place | None, data: Data) -> None:
        if place and event in ("message", "newMessage"):
            sender = data.get("sender") or data["senderId"]
            print(f"[{place.name}] {sender}: {data['content']}", flush=True)

    client = Client(options.addresses, options.user, listen)
    try:
        await client.request("createRoom", {"name": options.room})
    except Refused as error:
        if error.code != "room_exists":
            raise
    await client.join(options.room)
    print(f"you are in {options.room}", flush=True)
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        user, _, text = line[1:].partition(" ")
        try:
            await (
                client.send_to(user, text) if line[0] == "@" else client.send(options.room, line)
            )
        except (Refused, Unanswered) as error:
            print(f"not sent: {line!r}: {error}", flush=True)
    await client.close()


if __name__ == "__main__":
    asyncio.run(main())
