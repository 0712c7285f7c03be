"""How the embedded Redis is started."""

from pathlib import Path

from deploy.data_dir import DataDir
from deploy.ports import Address
from deploy.servers.discovery import Server
from deploy.servers.redis import EmbeddedRedis


def embedded(folder: Path) -> EmbeddedRedis:
    """A Redis in a folder."""
    server = Server("redis", "/bin/redis", "because")
    return EmbeddedRedis(server, Address("127.0.0.1", 9500), DataDir(folder))


def test_redis_loses_nothing(tmp_path: Path) -> None:
    """Redis writes each change to disk before it answers, evicts nothing, and stays on loopback."""
    command = embedded(tmp_path).command()
    options = dict(zip(command[1:-1:2], command[2:-1:2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "always"
    assert options["--maxmemory-policy"] == "noeviction"
    assert (options["--bind"], options["--port"]) == ("127.0.0.1", "9500")
    assert options["--dir"] == str(tmp_path)


def test_the_password_is_in_private_files_only(tmp_path: Path) -> None:
    """The password of Redis is in two files that only their user reads, and on no command line."""
    (tmp_path / "run").mkdir()
    redis = embedded(tmp_path)
    redis.write_files()
    files = {file.name: file for file in (tmp_path / "run").iterdir()}
    assert files.keys() == {"redis.conf", "redis_url"}
    assert all(file.stat().st_mode & 0o077 == 0 for file in files.values())
    assert redis.password in files["redis.conf"].read_text()
    assert files["redis_url"].read_text() == f"redis://:{redis.password}@127.0.0.1:9500/0\n"
    assert redis.command()[-1] == "-"
    assert not any(redis.password in word for word in redis.command())


def test_each_run_has_a_password_of_its_own(tmp_path: Path) -> None:
    """Who read the password of an earlier run knows nothing about this one."""
    assert embedded(tmp_path).password != embedded(tmp_path).password
