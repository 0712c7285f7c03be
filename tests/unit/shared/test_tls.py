"""Watching the files of a certificate."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.config import ConfigError
from shared.tls.certificate import check_certificate, expiry, only_pem
from shared.tls.context import RenewedContext
from shared.tls.watch import CertificateWatch, Level, expiry_warning, fingerprint
from tests.support.certificates import Certificates

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=90)


class Watched:
    """A watch of the files in a folder, and what it does.

    Attributes:
        loads: how often a certificate was taken into use.
        said: its lines, each after its level.
        reachable: whether the load balancer is there.
    """

    def __init__(self, certificates: Certificates, expires: datetime = LATER) -> None:
        self.loads, self.reachable, self.said = 0, True, list[str]()
        self._certificates = certificates
        files = (str(certificates.chain), str(certificates.key))
        self.watch = CertificateWatch(files, self._load, self._say, expires, fingerprint(files))

    async def _load(self) -> datetime:
        check_certificate(str(self._certificates.chain), str(self._certificates.key))
        if not self.reachable:
            raise ConnectionRefusedError("nobody listens")
        self.loads += 1
        return expiry(str(self._certificates.chain))

    def _say(self, sentence: str, level: Level) -> None:
        self.said.append(f"{level}: {sentence}")

    async def look(self, times: int) -> None:
        """Look at the files."""
        for _ in range(times):
            await self.watch.look()


async def test_files_that_still_change_are_left_alone(tmp_path: Path) -> None:
    """A certificate whose key comes a moment later is loaded once, with its key, and no error."""
    certificates = Certificates(tmp_path)
    watched = Watched(certificates)
    await watched.look(2)
    assert (watched.loads, watched.said) == (0, [])
    key = certificates.key.read_bytes()
    certificates.renew()
    new_key = certificates.key.read_bytes()
    certificates.key.write_bytes(key)
    await watched.look(1)
    certificates.key.write_bytes(new_key)
    await watched.look(1)
    assert watched.loads == 0
    await watched.look(3)
    assert (watched.loads, len(watched.said)) == (1, 1)
    assert watched.said[0].startswith("info: a new certificate is in use, until ")


def point(link: Path, file: Path) -> None:
    """Put a link to another file in the place of what is there."""
    link.unlink()
    link.symlink_to(file)


async def test_a_link_that_points_elsewhere_is_a_change(tmp_path: Path) -> None:
    """A link that is changed to another file, as certbot does it, is a renewed certificate."""
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
    certificates, others = Certificates(first), Certificates(second)
    watched = Watched(certificates)
    point(certificates.chain, others.chain)
    point(certificates.key, others.key)
    await watched.look(2)
    assert watched.loads == 1


async def test_a_broken_certificate_is_told_once(tmp_path: Path) -> None:
    """What cannot be used is told once, and a whole one in its place is loaded."""
    certificates = Certificates(tmp_path)
    watched = Watched(certificates)
    certificates.chain.write_text("half")
    await watched.look(5)
    assert (watched.loads, len(watched.said)) == (0, 1)
    assert watched.said[0].startswith(f"error: TLS_CERT={certificates.chain} ")
    certificates.chain.unlink()
    await watched.look(5)
    assert len(watched.said) == 2
    certificates.renew()
    await watched.look(2)
    assert watched.loads == 1


async def test_a_certificate_without_a_date_is_not_used(tmp_path: Path) -> None:
    """One that OpenSSL takes, and whose date cannot be read, is told; the next good one is used."""
    certificates = Certificates(tmp_path)
    said = list[str]()
    renewed = RenewedContext(
        *(str(certificates.chain), str(certificates.key)),
        lambda sentence, level: said.append(f"{level}: {sentence}"),
    )
    made = list[ssl.SSLContext]()

    def make() -> ssl.SSLContext:
        made.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        return made[-1]

    renewed.make_first(make)
    before = renewed.watch.expires
    der = ssl.PEM_cert_to_DER_cert(certificates.chain.read_text())
    of_version_8 = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
    certificates.chain.write_text(ssl.DER_cert_to_PEM_cert(of_version_8))
    check_certificate(str(certificates.chain), str(certificates.key))
    for _ in range(3):
        await renewed.watch.look()
    [line] = said
    assert line.startswith(f"error: TLS_CERT={certificates.chain} has no certificate")
    assert (renewed.watch.expires, len(made)) == (before, 1)
    certificates.renew(not_after=LATER)
    for _ in range(2):
        await renewed.watch.look()
    assert (renewed.watch.expires, len(made)) == (LATER, 2)


async def test_a_load_balancer_that_is_away_gets_it_later(tmp_path: Path) -> None:
    """A certificate that could not be handed over is handed over once that can be; told once."""
    certificates = Certificates(tmp_path)
    watched = Watched(certificates)
    watched.reachable = False
    certificates.renew()
    await watched.look(5)
    assert (watched.loads, len(watched.said)) == (0, 1)
    assert "is tried again: nobody listens" in watched.said[0]
    watched.reachable = True
    await watched.look(3)
    assert watched.loads == 1


@pytest.mark.parametrize(
    ("left", "level", "words"),
    [
        (timedelta(days=14, seconds=1), None, ""),
        (timedelta(days=14), "warning", "expires in 14 days, on 2026-12-14 12:00 UTC"),
        (timedelta(days=3, seconds=1), "warning", "expires in 3 days"),
        (timedelta(days=3), "error", "expires in 3 days"),
        (timedelta(0), "error", "expired on 2026-11-30 12:00 UTC"),
    ],
)
def test_an_expiring_certificate(left: timedelta, level: str | None, words: str) -> None:
    """Two weeks before it expires is a warning, three days before it, and after it, an error."""
    found = expiry_warning(NOW + left, NOW)
    assert (found.level if found else None) == level
    assert words in (found.sentence if found else "")


def test_a_warning_comes_once_a_day(tmp_path: Path) -> None:
    """It is said again a day later, and at once when it begins to press."""
    watched = Watched(Certificates(tmp_path), expires=NOW + timedelta(days=5))
    for hours in (0, 1, 23, 24, 25, 48, 49):  # three days are left after 48 hours
        watched.watch.warn(NOW + timedelta(hours=hours))
    levels = [line.partition(":")[0] for line in watched.said]
    assert levels == ["warning", "warning", "error"]


def test_expiry_is_that_of_the_first_certificate(tmp_path: Path) -> None:
    """The time is the one in the certificate; a file without one is told by its setting."""
    certificates = Certificates(tmp_path)
    certificates.renew(not_after=LATER)
    assert expiry(str(certificates.together)) == LATER
    with pytest.raises(ConfigError, match=f"TLS_CERT={certificates.key} has no certificate"):
        expiry(str(certificates.key))


def test_only_pem_is_kept(tmp_path: Path) -> None:
    """Text between the blocks and empty lines, with which HAProxy would end, are left out."""
    whole = Certificates(tmp_path).together.read_text()
    around = "Bag Attributes\n\n" + whole.replace("-----END", "\r\n\r\n-----END") + "\n\n"
    assert (
        only_pem(around)
        == only_pem(whole)
        == "".join(f"{line}\n" for line in whole.splitlines() if line)
    )
