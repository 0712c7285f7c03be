"""Certificates made for a test, by an authority of its own."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate

from tests.support.ports import free_port


class Certificates:
    """One certificate for this machine.

    Attributes:
        authority: the file of who signed it.
        chain: the file of the certificate.
        key: the file of its key.
        together: both in one.
        locked: the file of the key, under a passphrase.
    """

    def __init__(self, folder: Path) -> None:
        made = self._made = trustme.CA()
        issued = made.issue_cert("127.0.0.1", "localhost")
        self.authority = folder / "authority.pem"
        self.chain = folder / "chain.pem"
        self.key = folder / "key.pem"
        self.together = folder / "together.pem"
        made.cert_pem.write_to_path(self.authority)
        issued.cert_chain_pems[0].write_to_path(self.chain)
        issued.private_key_pem.write_to_path(self.key)
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        passphrase = BestAvailableEncryption(b"passphrase")
        self.locked = folder / "locked.pem"
        self.locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, passphrase))
        issued.private_key_and_cert_chain_pem.write_to_path(self.together)

    def renew(self, not_after: datetime | None = None, copies: int = 1) -> int:
        """Put a new certificate and its key in the place of the old; return its serial number.

        As certbot does, one after the other, and the new key is of another kind than the first.

        Args:
            not_after: when it expires.
            copies: how often it stands in its file.
        """
        issued = self._made.issue_cert(
            "127.0.0.1", "localhost", not_after=not_after, key_type=trustme.KeyType.RSA
        )
        for pem, file in (
            (issued.cert_chain_pems[0].bytes() * copies, self.chain),
            (issued.private_key_pem.bytes(), self.key),
            (issued.private_key_and_cert_chain_pem.bytes(), self.together),
        ):
            new = file.with_suffix(".new")
            new.write_bytes(pem)
            new.replace(file)
        return load_pem_x509_certificate(issued.cert_chain_pems[0].bytes()).serial_number

    def trusting(self) -> ssl.SSLContext:
        """TLS settings of a client that knows the authority and checks names."""
        return ssl.create_default_context(cafile=str(self.authority))

    @asynccontextmanager
    async def in_front_of(self, port: int) -> AsyncIterator[int]:
        """Run a TLS proxy before a local server that has no TLS; yield the proxy's port."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.together)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_pump(reader, server_writer), _pump(server_reader, writer))

        front = free_port()
        server = await asyncio.start_server(serve, "127.0.0.1", front, ssl=context)
        async with server:
            yield front


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()
