"""Questions to the OSV database, and its answers."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.servers.builds import Component
from deploy.supply.inventory import Inside
from deploy.supply.osv import look_up

OPENSSL = Inside("one", Component("OpenSSL", "3.0.15"), "pkg:generic/openssl")
PCRE = Inside("one", Component("PCRE", "8.32"), "pkg:generic/pcre")
GO = Inside("two", Component("Go", "1.26.8"), "pkg:generic/go")
MODULE = Inside("two", Component("github.com/a/b", "1.2.3"), "pkg:golang/github.com/a/b")
CRATE = Inside("three", Component("pyo3", "0.29.2"), "pkg:cargo/pyo3")


@contextmanager
def database(answer: Callable[[dict[str, object]], bytes]) -> Iterator[str]:
    """Run a server that answers as OSV does; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/querybatch"
        server.shutdown()
        serving.join()


def test_each_kind_is_asked_for_by_its_own_name() -> None:
    """Go, modules, crates and C libraries are asked for as OSV knows them; others are not."""
    asked = []

    def answer(body: dict[str, object]) -> bytes:
        asked.append(body)
        known = {"id": "GO-2026-1", "modified": "2026-11-01T00:00:00Z"}
        return json.dumps({"results": [{}, {}, {"vulns": [known]}, {}]}).encode()

    with database(answer) as address:
        found = look_up([OPENSSL, PCRE, GO, MODULE, CRATE], address)
    assert found == [(MODULE, "GO-2026-1")]

    def package(name: str, ecosystem: str, version: str) -> dict[str, object]:
        return {"package": {"name": name, "ecosystem": ecosystem}, "version": version}

    assert asked == [
        {
            "queries": [
                package("https://github.com/openssl/openssl.git", "GIT", "openssl-3.0.15"),
                package("stdlib", "Go", "1.26.8"),
                package("github.com/a/b", "Go", "1.2.3"),
                package("pyo3", "crates.io", "0.29.2"),
            ]
        }
    ]


PART = b'{"results": [{"vulns": [], "next_page_token": "more"}]}'


@pytest.mark.parametrize("said", [b"<html>", b'{"results": []}', b"{}", PART])
def test_an_answer_that_is_none(said: bytes) -> None:
    """What is no answer, or a part of one, is not taken for one that finds nothing."""
    with database(lambda _: said) as address, pytest.raises(OSError, match="the database"):
        look_up([GO], address)
