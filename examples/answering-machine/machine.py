"""An answering machine: it answers direct messages in the name of a user.

python machine.py [URL] [USER]
"""

import asyncio
import sys

from parley_chat import ChatClient, NewMessage


async def main(url: str = "http://127.0.0.1:8080", user: str = "bob") -> None:
    """Answer until the process is stopped."""
    async with ChatClient(url) as client:
        for chat in await client.go_online(user):
            if chat.unread and chat.last_message:
                print(f"{chat.unread} unread: {chat.last_message.content}", flush=True)
        print(f"answering for {user}", flush=True)
        async for event in client.events():
            if isinstance(event, NewMessage) and str(event.sender_id) != user:
                print(f"{event.sender_id}: {event.content}", flush=True)
                await client.send_to(event.sender_id, f"I am away, but I got: {event.content}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
