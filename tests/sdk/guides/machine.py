"""The machine of a reader: a checkout called `parley`, and the cluster that runs from it."""

import asyncio
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import httpx

from deploy.settings import Settings
from parley_chat import ChatClient, ChatError
from tests.sdk.guides.terminal import Terminal
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.process import ROOT
from tests.support.waiting import eventually, until_gone

READY = (
    r"cluster ready: |^dice is in |^answering for |Local: +http|^http://127|^Serving HTTP on"
    r"|\b(?:general|bob)>|^you are in "
)
"""How a program of a guide that goes on running says that it is ready."""

LEFT_OUT = shutil.ignore_patterns(".*", "node_modules", "dist", "build", "tests")


class Machine:
    """A folder with a copy of the checkout, called `parley`, and the cluster that runs from it.

    The copy uses the packages that are installed for the original. Its examples, and all that is
    read on this machine, have the ports of this cluster in place of those that the guides name:
    other clusters may run beside it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkout = folder / "parley"
        self.cluster = Cluster(data_dir=self.checkout / ".cluster", root=self.checkout)
        self.web_port = free_port()
        self.terminals: dict[str, Terminal] = {}
        shutil.copytree(ROOT, self.checkout, ignore=LEFT_OUT)
        (self.checkout / ".venv").symlink_to(sys.prefix)
        packages = Path("clients/javascript/node_modules")
        if (ROOT / packages).exists():
            (self.checkout / packages).symlink_to(ROOT / packages)
        for file in filter(Path.is_file, (self.checkout / "examples").rglob("*")):
            file.write_text(self.here(file.read_text()))
        self.env = self._environment()

    def here(self, text: str) -> str:
        """Return a text with the ports of this machine in place of those of the guides."""
        for number in range(self.cluster.gateways + 1):
            ours = f"127.0.0.1:{self.cluster.port + number}"
            text = text.replace(f"127.0.0.1:{8080 + number}", ours)
        return re.sub(r"\b3000\b", str(self.web_port), text)

    async def once(self, code: str) -> None:
        """Run a command in the checkout, unless that was done: a cluster is enough for all."""
        if code not in self.terminals:
            # The readers together kill gateways often: none should wait for a growing pause.
            settings = {"PORT": str(self.cluster.port), "WELL_AFTER": "0.1"}
            self.terminals[code] = await self.run(code, self.checkout, settings)

    async def run(self, code: str, cwd: Path, env: dict[str, str] | None = None) -> Terminal:
        """Run commands in a terminal of their own, until they are ready or ended well."""
        terminal = Terminal(["bash", "-ec", code], cwd, self.env | (env or {}))
        await terminal.start()
        try:
            await terminal.ready_or_ended(READY)
        except BaseException:
            await terminal.stop()
            raise
        return terminal

    async def general_is_there(self) -> None:
        """Sign in once and make the room general, as the chat page does."""
        async with ChatClient(self.cluster.url, username="somebody", listen=False) as client:
            try:
                await client.create_room("general")
            except ChatError as error:
                if error.code != "room_exists":
                    raise

    async def stock(self, folder: Path) -> None:
        """Put the versions of packages that the repository pins into a folder, as if cached.

        A guide's `npm install` then takes them, and asks no registry what is new today.
        """
        pinned = ROOT / "tests" / "sdk" / "javascript" / "node_modules"
        await asyncio.to_thread(
            shutil.copytree, pinned, folder / "node_modules", symlinks=True, dirs_exist_ok=True
        )

    async def gateways_ready(self) -> None:
        """Wait until both gateways take clients."""
        async with httpx.AsyncClient() as http:

            async def are_ready() -> bool:
                urls = [self.cluster.gateway_url(number) for number in (1, 2)]
                try:
                    answers = [await http.get(f"{url}/health/ready") for url in urls]
                except httpx.TransportError:
                    return False
                return all(answer.is_success for answer in answers)

            await eventually(are_ready)

    async def shut_down(self) -> None:
        """End all that was started here."""
        await end_cluster(self.cluster)
        for terminal in self.terminals.values():
            await terminal.stop()

    def _environment(self) -> dict[str, str]:
        """This process's environment without settings and what make and Python add; no network.

        What guides install from registries has the versions that the repository pins.
        """
        ours = set(Settings.__struct_encode_fields__) | {"ARGS", "VIRTUAL_ENV"}
        pins = self.folder / "pins.txt"
        pinned = (ROOT / "requirements" / "dev.txt").read_text()
        pins.write_text("\n".join(re.findall(r"^[\w.-]+==[^\\\n]+", pinned, re.MULTILINE)))
        python = self.folder / "bin" / "python3"
        python.parent.mkdir()
        python.symlink_to(Path(sys.executable).resolve())
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ours and not name.startswith(("PYTHON", "MAKE", "NODE_"))
        }
        return kept | {
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "PIP_CONSTRAINT": str(pins),
            "npm_config_offline": "true",
            "npm_config_audit": "false",
            "npm_config_update_notifier": "false",
            "TERM": "xterm",
            "NO_COLOR": "1",
            "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody here answers the question where the cursor is
        }


async def end_cluster(cluster: Cluster) -> None:
    """End a cluster that a terminal started, if it was, and wait until it is gone."""
    if (cluster.data_dir / "run" / "cluster.pid").exists():
        await until_gone(cluster.kill("cluster", signal.SIGTERM))
