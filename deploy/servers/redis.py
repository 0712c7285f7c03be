"""The embedded Redis: its password, its configuration file and its command line."""

import secrets

from deploy.data_dir import DataDir, write_atomically
from deploy.ports import Address
from deploy.servers.discovery import Server

CONFIG = "redis.conf"


class EmbeddedRedis:
    """The Redis of one run of a cluster, with a password that no earlier run had.

    Whoever reaches its port can read and write everything, and any user of this machine reaches
    loopback. Command lines are for all to see, so the password is in private files only.

    Attributes:
        program: the path of the server's program.
        config: the file that it reads from standard input.
        password: random; no character of it means anything in a URL or a file of settings.
    """

    def __init__(self, server: Server, address: Address, data_dir: DataDir) -> None:
        self.password = secrets.token_urlsafe(32)
        self.program = server.path
        self.config = data_dir.run / CONFIG
        self._address = address
        self._data_dir = data_dir

    @property
    def url(self) -> str:
        """The URL, with the password."""
        return f"redis://:{self.password}@{self._address}/0"

    def write_files(self) -> None:
        """Write the server's configuration, and the URL for tools and commands of the operator.

        Raises:
            OSError: the folder cannot be written to.
        """
        write_atomically(self.config, f"requirepass {self.password}\n")
        write_atomically(self._data_dir.redis_url_file, f"{self.url}\n")

    def command(self) -> tuple[str, ...]:
        """The command line of a Redis that loses no accepted write, and evicts nothing."""
        options = {
            "port": str(self._address.port),
            "bind": self._address.host,
            "dir": str(self._data_dir.path),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return (
            self.program,
            *(word for name, value in options.items() for word in (f"--{name}", value)),
            "-",  # and the file from standard input: a path with `?` would be a pattern
        )
