"""Known vulnerabilities of what is inside the wheels, by the OSV database.

It knows Go modules, Go itself and Rust crates by their versions. C libraries it knows by the tags
of their repositories where a record names them: what it says of them counts, silence is
no proof. HAProxy's branches and PCRE have no such tags, and are judged by their age alone
(`deploy.servers.support`).
"""

import http.client
import urllib.request
from collections.abc import Sequence
from typing import Final

import msgspec

from deploy.supply.inventory import Inside

ADDRESS: Final = "https://api.osv.dev/v1/querybatch"
"""https://google.github.io/osv.dev/post-v1-querybatch/"""

ANSWER_SECONDS: Final = 30.0

BATCH: Final = 1000
"""Queries that a request may have."""

REPOSITORIES: Final = {
    "OpenSSL": ("https://github.com/openssl/openssl.git", "openssl-{}"),
    "Valkey": ("https://github.com/valkey-io/valkey.git", "{}"),
    "Lua": ("https://github.com/lua/lua.git", "v{}"),
    "zlib": ("https://github.com/madler/zlib.git", "v{}"),
    "libuv": ("https://github.com/libuv/libuv.git", "v{}"),
    "jemalloc": ("https://github.com/jemalloc/jemalloc.git", "{}"),
}


class Package(msgspec.Struct):
    """A package, as OSV calls it."""

    name: str
    ecosystem: str


class Query(msgspec.Struct):
    """A question for the vulnerabilities of one version."""

    package: Package
    version: str


class Queries(msgspec.Struct):
    """The body of a request."""

    queries: list[Query]


class Known(msgspec.Struct):
    """A vulnerability by its id."""

    id: str


class Result(msgspec.Struct):
    """The answer to one query; empty if nothing is known.

    Attributes:
        next_page_token: not empty if there are more than the database gives at a time.
    """

    vulns: list[Known] = []
    next_page_token: str = ""


class Results(msgspec.Struct):
    """The body of an answer, in the order of the queries."""

    results: list[Result]


def query(inside: Inside) -> Query | None:
    """Return the question for a component; None if the database knows none of its kind."""
    name, version = inside.component
    kind, _, path = inside.purl.removeprefix("pkg:").partition("/")
    if name == "Go":
        return Query(Package("stdlib", "Go"), version)
    if kind == "golang":
        return Query(Package(name, "Go"), version)
    if kind == "cargo":
        return Query(Package(path, "crates.io"), version)
    if version and name in REPOSITORIES:
        repository, tag = REPOSITORIES[name]
        return Query(Package(repository, "GIT"), tag.format(version))
    return None


def look_up(components: Sequence[Inside], address: str = ADDRESS) -> list[tuple[Inside, str]]:
    """Return the known vulnerabilities of components, each with its id.

    Raises:
        OSError: the database cannot be reached, or answers with something else.
    """
    asked = [(each, question) for each in components if (question := query(each))]
    found: list[tuple[Inside, str]] = []
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        results = _ask(Queries([question for _, question in part]), address)
        if len(results) != len(part):
            raise OSError("the database answered another number of questions")
        if any(result.next_page_token for result in results):
            raise OSError("the database gave a part of its answer")
        for (inside, _), result in zip(part, results, strict=True):
            found += [(inside, known.id) for known in result.vulns]
    return found


def _ask(queries: Queries, address: str) -> list[Result]:
    request = urllib.request.Request(  # noqa: S310  https, or a test's
        address, msgspec.json.encode(queries), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return msgspec.json.decode(answer.read(), type=Results).results
    except (http.client.HTTPException, msgspec.DecodeError) as error:
        raise OSError(f"the database gave no answer: {error}") from error
