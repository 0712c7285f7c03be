"""Sessions are their users' own: what others show of them changes nothing, and tells nothing."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from urllib.parse import urlencode

import pytest

from tests.security.doors import Door, SocketIODoor, enter, make, new_address, pass_for, refused
from tests.support.cluster import Cluster


@pytest.mark.parametrize("thief", ["another user", "another name"])
@pytest.mark.parametrize("gateway", [1, 2])
async def test_the_pid_of_another(
    cluster: Cluster, guarded: Cluster, stack: AsyncExitStack, thief: str, gateway: int
) -> None:
    """Who shows the pid of another user's session neither gets it nor ends anything of it."""
    proven = thief == "another user"
    running = guarded if proven else cluster

    async def come(number: int, user: str, more: str = "") -> SocketIODoor:
        """Connect as a user, with a token or by name."""
        query, shown = (more, pass_for(user)) if proven else (f"username={user}&{more}", "")
        door = SocketIODoor(running.gateway_url(number), query, shown, new_address())
        return await stack.enter_async_context(door)

    room = f"pid {thief} {gateway}"
    ann = await come(1, "ann")
    await make(ann, room)
    eve = await come(gateway, "eve", f"pid={ann.pid}")
    assert eve.pid != ann.pid
    for number in range(2):  # the connection goes on, and its session is saved as before
        said = await ann.request("message", {"room": room, "content": f"still here {number}"})
        await ann.until(said["seq"], "message", room)
        if not number:
            await ann.request("joinRoom", {"room": room})
    ann.lose()
    again = await come(2, "ann", f"pid={ann.pid}")
    assert again.pid == ann.pid
    await again.request("message", {"room": room, "content": "and here again"})
    assert eve.all("message", room) == []


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "small": str.lower,
    "full width": lambda name: name.replace("U", "\uff35").replace(".", "\uff0e"),
    "blanks": lambda name: " " + name.replace(" ", "\u3000 ") + " ",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_the_name_of_somebody_unnamed(cluster: Cluster, door: Door, spelling: str) -> None:
    """Nobody takes the name by which a connection without one is shown, in no spelling of it."""
    url, room = cluster.gateway_url(1), f"nameless {door} {spelling}"
    async with enter(door, url) as ann, enter(door, url, "username=bob") as bob:
        await make(bob, room)
        await ann.request("joinRoom", {"room": room})
        await ann.request("message", {"room": room, "content": "hi"})
        shown = (await bob.next("message", room=room))["data"]["sender"]
        assert shown.startswith("User gateway-1.")
        taken = SPELLINGS[spelling](shown)
        async with enter(door, url, urlencode({"username": taken})) as eve:
            assert await refused(eve, "setUsername", {"username": taken}) == "bad_request"
            assert (
                await refused(eve, "joinRoom", {"room": room, "username": taken}) == "bad_request"
            )
            assert await refused(eve, "userOnline", taken) == "bad_request"
            await eve.request("joinRoom", {"room": room})
            await eve.request("message", {"room": room, "content": "it is me"})
            sender = (await ann.until(2, "message", room))[1]["sender"]
            assert sender.startswith("User gateway-1.")
            assert sender != shown
        # A room's owner still reaches who has no name.
        await bob.request("kick", {"room": room, "user": shown})
        await ann.next("kicked", room=room)
