"""A persister's port for operators, asked over HTTP."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from persister.operator_port import Act, serving_operator
from shared.config import Settings, load
from shared.errors import broker_unavailable
from shared.operator.acting import Answer
from shared.trail import Trail
from shared.web.hosts import Hosts, PublicUrls

SECRET = "s" * 32


@contextmanager
def serving(act: Act, file: Path) -> Iterator[int]:
    """Serve the port with one thing to be done, and a trail in a file; yield its number."""
    trail = Trail(load(Settings, {"SECURITY_LOG": str(file)}), "persister-1")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    hosts = Hosts(PublicUrls.parse(""), ["127.0.0.1"])
    with closing(trail), serving_operator(listener, hosts, SECRET, {"/act": act}, trail):
        yield listener.getsockname()[1]


def ask(act: Act, folder: Path) -> tuple[httpx.Response, dict[str, object]]:
    """Ask with the secret for something to be done: the answer, and the line of the trail."""
    file = folder / "security.log"
    with serving(act, file) as port:
        url = f"http://127.0.0.1:{port}/act"
        answer = httpx.post(url, headers={"Authorization": f"Bearer {SECRET}"})
    return answer, msgspec.json.decode(file.read_bytes())


def test_what_breaks_off_is_an_action(tmp_path: Path) -> None:
    """What an operator began and an error ended is in the trail as done, with the error's code."""

    def act() -> Answer:
        raise broker_unavailable()

    answer, line = ask(act, tmp_path)
    assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
    assert answer.headers["cache-control"] == "no-store"
    assert (line["event"], line["error"]) == ("operator_action", "broker_unavailable")


def test_an_error_that_nobody_foresaw_is_logged(tmp_path: Path) -> None:
    """A request that fails in a way that nobody foresaw leaves a line in the log."""

    def act() -> Answer:
        raise ValueError("unforeseen")

    with capture_logs() as logged, pytest.raises(httpx.RemoteProtocolError):
        ask(act, tmp_path)
    [line] = [each for each in logged if each["log_level"] == "error"]
    assert str(line["exc_info"]) == "unforeseen"


def test_a_length_of_thousands_of_digits(tmp_path: Path) -> None:
    """A request whose length Python does not read as a number is answered like any other."""
    done = Answer(HTTPStatus.OK, b"{}")
    with serving(lambda: done, tmp_path / "security.log") as port:
        client = HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Length": "1" * 5000}
        client.request("POST", "/act", headers=headers)
        assert client.getresponse().status == 200
        client.close()
