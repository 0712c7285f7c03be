"""The certificate of the load balancer: one file of chain and key, renewed while it runs."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from deploy.data_dir import write_atomically
from deploy.servers.discovery import Server
from deploy.settings import Settings, environment, without_settings
from shared.config import ConfigError
from shared.tls.certificate import check_certificate, expiry, expiry_file, only_pem
from shared.tls.watch import CertificateWatch, Level, fingerprint

CERTIFICATE: Final = "tls.pem"
"""The file in `run/`, as HAProxy and Caddy name it, too."""

HAPROXY_SOCKET: Final = "haproxy.sock"
CADDY_SOCKET: Final = "caddy.sock"
CADDY_CONFIG: Final = "Caddyfile"

ANSWER_SECONDS: Final = 10.0
"""Seconds that a load balancer has to take a certificate."""


def write_certificate(settings: Settings, run: Path) -> datetime:
    """Write certificate and key into one file that only its owner reads; return its expiry.

    What is checked is what is written: the files of the settings may change at any time.

    Raises:
        ConfigError: they cannot be used.
        OSError: the file cannot be written, as on a full disk. It is as before in both cases.
    """
    given = [str(part) for part in (settings.tls_cert, settings.tls_key) if part]
    checked = run / f"{CERTIFICATE}.checked"
    try:
        text = "\n".join(Path(part).read_text() for part in given)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"TLS_CERT={settings.tls_cert} cannot be read: {error}") from None
    try:
        write_atomically(checked, only_pem(text))
        try:
            check_certificate(str(checked))
            expires = expiry(str(checked))
        except ConfigError as error:
            raise ConfigError(str(error).replace(f"={checked}", f"={settings.tls_cert}")) from None
        checked.replace(run / CERTIFICATE)
    finally:
        checked.unlink(missing_ok=True)
    return expires


def remove_certificate(run: Path) -> None:
    """Remove what an earlier start with a certificate left behind."""
    (run / CERTIFICATE).unlink(missing_ok=True)
    expiry_file(run).unlink(missing_ok=True)


def certificate_watch(
    server: Server, settings: Settings, run: Path, say: Callable[[str, Level], None]
) -> CertificateWatch:
    """Write the certificate once more, and watch its files for the load balancer.

    Args:
        server: the load balancer, which has not started yet.
        settings: with a certificate.
        run: the folder in which the load balancer runs.
        say: writes a line of the log.
    """
    files = tuple(str(part) for part in (settings.tls_cert, settings.tls_key) if part)
    renew = partial(_renew, server, settings, run)
    since = fingerprint(files)
    expires = write_certificate(settings, run)
    _note_expiry(run, expires)
    return CertificateWatch(files, renew, say, expires, since)


async def _renew(server: Server, settings: Settings, run: Path) -> datetime:
    # First the file, from which a load balancer that starts meanwhile reads it.
    expires = await asyncio.to_thread(write_certificate, settings, run)
    async with asyncio.timeout(ANSWER_SECONDS):
        if server.kind == "haproxy":
            await _renew_in_haproxy(run)
        else:
            await _renew_in_caddy(server, run)
    await asyncio.to_thread(_note_expiry, run, expires)
    return expires


def _note_expiry(run: Path, expires: datetime) -> None:
    """Let gateways tell when the certificate that is in use expires."""
    write_atomically(expiry_file(run), expires.isoformat())


async def _renew_in_haproxy(run: Path) -> None:
    """Hand the certificate over on HAProxy's socket: new handshakes get it, connections stay.

    Raises:
        OSError: HAProxy is not there, or does not take it.
    """
    pem = (run / CERTIFICATE).read_text()
    said = await _ask_haproxy(run, f"set ssl cert {CERTIFICATE} <<\n{pem}\n")
    if "ransaction" in said:
        said = await _ask_haproxy(run, f"commit ssl cert {CERTIFICATE}\n")
    if "Success" not in said:
        await _ask_haproxy(run, f"abort ssl cert {CERTIFICATE}\n")
        raise OSError(f"HAProxy answers {' '.join(said.split())!r}")


async def _ask_haproxy(run: Path, command: str) -> str:
    with _short(run) as folder:
        reader, writer = await asyncio.open_unix_connection(f"{folder}/{HAPROXY_SOCKET}")
    try:
        writer.write(command.encode())
        await writer.drain()
        return (await reader.read()).decode(errors="replace")
    finally:
        writer.close()


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[str]:
    """Give a folder a short path, as that of a socket may have only about 100 bytes."""
    if sys.platform != "linux":
        yield str(folder)
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}"
    finally:
        os.close(opened)


async def _renew_in_caddy(server: Server, run: Path) -> None:
    """Let Caddy read its configuration again: it takes the file's certificate, connections stay.

    Raises:
        OSError: Caddy is not there, or does not take it.
    """
    # By force, as the configuration itself is the same as before.
    options = ("--force", "--adapter", "caddyfile", "--config", CADDY_CONFIG)
    reload = await asyncio.create_subprocess_exec(
        *(server.path, "reload", *options, "--address", f"unix/{CADDY_SOCKET}"),
        cwd=run,
        env=without_settings(environment()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await reload.communicate()
    finally:
        if reload.returncode is None:
            reload.kill()
    if reload.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        raise OSError(f"Caddy answers {' '.join(last)!r}")
