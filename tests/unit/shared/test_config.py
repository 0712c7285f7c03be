"""Settings from the environment."""

import msgspec
import pytest

from shared.config import ConfigError, Settings, incarnation, invalid, load, load_or_exit

BAD = {
    "PORT": ["0", "65536", "-1", "x", "80.5", " 80"],
    "GATEWAY_NAME": ["a b", "ä", "x" * 65, "a/b", "a.b", "a\n"],
    "PERSISTER_NAME": ["a b", "a\n"],
    "PARTITIONS": ["0", "1025", "-1", "many"],
    "LOG_LENGTH": ["99", "100001", "x"],
    "ROOM_IDLE": ["0", "-1", "nan", "inf", "x"],
    "MAX_BACKLOG": ["999", "1000000", "x"],
    "MAX_CONTENT": ["0", "16001"],
    # Less than a millisecond cannot be told to the broker, nor can for ever.
    "DEDUPE_MINUTES": ["0", "-1", "nan", "0.00000001", "inf", "1e300"],
    "DRAIN_SECONDS": ["0", "-1", "inf"],
    "BROADCAST_LIMIT": ["-1"],
    "OUTBOX_LIMIT": ["65535"],
    "BATCH_SIZE": ["0", "10001"],
    "BATCH_AGE": ["-0.1", "5.1", "nan"],
    "SQLITE_SYNCHRONOUS": ["OFF", "full"],
    "LEASE_SECONDS": ["0.4", "61", "nan"],
    "TRUSTED_PROXIES": ["proxy.example", "10.0.0.1/8", "*"],
    "ALLOWED_ORIGINS": ["null", "chat.example", "https://chat.example/", "https://a.example, b"],
    "RATE_LIMITS": ["yes"],
    "RATE_MESSAGES": ["20", "20/s", "0/1s:5", "20/1s:0", "20/1d:5", "-1/1s:5", "1/h:9999999"],
    "MAX_ROOMS": ["0"],
    "HANDSHAKE_SECONDS": ["0", "inf"],
    "AUTH_MODE": ["none", "JWT"],
    "ALLOW_OPEN": ["maybe"],
    "GUESTS": ["yes"],
    "JWT_LEEWAY": ["-1", "61", "nan"],
    "LOG_FORMAT": ["xml"],
    "LOG_LEVEL": ["INFO", "loud"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in BAD.items() for v in vs])
def test_bad_value_is_named(name: str, value: str) -> None:
    """A value that Parley cannot run with is refused by a sentence that names its variable."""
    with pytest.raises(ConfigError) as caught:
        load(Settings, {name: value})
    assert str(caught.value).startswith(f"{name}={value} is not valid: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEYS", "canary"),
        ("REDIS_URL", "redis://:canary@host"),
        ("DATABASE_URL", "postgresql+asyncpg://host/x?password=canary"),
    ],
)
def test_secrets_are_not_quoted(name: str, value: str) -> None:
    """The refusal of a value that may hold a secret names its variable and quotes nothing."""
    refusal = str(invalid(name, value, f"cannot use {value}"))
    assert refusal.startswith(f"{name} is not valid")
    assert "canary" not in refusal


def test_defaults() -> None:
    """With nothing given, every setting has its documented default."""
    assert load(Settings, {}) == Settings()
    found = load(Settings, {})
    assert (found.host, found.port, found.partitions) == ("127.0.0.1", 8080, None)
    assert (found.log_length, found.room_idle, found.namespace) == (1000, 3600, "")
    assert [found.backlog_of(n) for n in (1, 8, 16, 1024)] == [200_000, 200_000, 100_000, 1562]
    assert (found.max_content, found.dedupe_minutes, found.drain_seconds) == (4000, 60, 10)
    assert (found.data_dir, found.broadcast_limit) == (".cluster", 1000)


@pytest.mark.parametrize("name", [f.encode_name for f in msgspec.structs.fields(Settings)])
def test_empty_counts_as_not_given(name: str) -> None:
    """A variable that is set to nothing counts as not given."""
    assert load(Settings, {name: ""}) == Settings()


def test_values_are_taken() -> None:
    """Given values win over defaults, each read as its kind."""
    given = {"PORT": "9000", "ROOM_IDLE": "0.5", "DATA_DIR": "/data", "LOG_FORMAT": "json"}
    found = load(Settings, given | {"UNKNOWN": "x"})
    assert (found.port, found.room_idle, found.data_dir) == (9000, 0.5, "/data")
    assert found.log_format == "json"


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without variables given, the process's own are read."""
    monkeypatch.setenv("PARTITIONS", "4")
    assert load(Settings).partitions == 4


def test_exit_on_a_bad_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process with a bad value ends with exit code 2 and one sentence on standard error."""
    monkeypatch.setenv("PORT", "70000")
    with pytest.raises(SystemExit) as ended:
        load_or_exit(Settings)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "PORT=70000 is not valid: Expected `int` <= 65535\n"


def test_settings_are_frozen() -> None:
    """Settings cannot be changed after they were read."""
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]


def test_incarnations_differ() -> None:
    """Two lives of one process have different names, both beginning with its own."""
    names = {incarnation("gw") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("gw-") for name in names)


@pytest.mark.parametrize(
    ("given", "limited"),
    [
        ({}, False),
        ({"RATE_LIMITS": "on"}, True),
        ({"AUTH_MODE": "jwt"}, True),
        ({"AUTH_MODE": "jwt", "RATE_LIMITS": "off"}, False),
        ({"HOST": "0.0.0.0"}, True),  # noqa: S104
        ({"HOST": "::1"}, False),
        ({"HOST": "localhost"}, False),
    ],
)
def test_rates_are_limited_where_strangers_come(given: dict[str, str], limited: bool) -> None:  # noqa: FBT001
    """Unless told otherwise, rates are limited where there are tokens or others than loopback."""
    assert load(Settings, given).limited is limited
