"""The TLS context of a server whose certificate is renewed while it serves."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime

from shared.metrics import Gauge
from shared.tls.certificate import check_certificate, expiry, remaining
from shared.tls.watch import CertificateWatch, Level, fingerprint

Make = Callable[[], ssl.SSLContext]


class RenewedContext:
    """The certificate in two files, read again when they change.

    Handshakes begin with the first context, which the server keeps, and go on with the current one.
    A new context takes the place of the old one whole: loaded into the old one, a certificate with
    a key of another kind would leave both there.

    Attributes:
        watch: looks at the files.
    """

    def __init__(self, certificate: str, key: str, say: Callable[[str, Level], None]) -> None:
        """Read when the certificate expires, and show that as a metric.

        Args:
            certificate: a file in PEM with the chain.
            key: a file in PEM with the key; empty if it is in the file of the chain.
            say: writes a line of the log.

        Raises:
            ConfigError: there is no certificate in the file.
        """
        self._certificate, self._key = certificate, key
        files = tuple(filter(None, (certificate, key)))
        since = fingerprint(files)
        self.watch = CertificateWatch(files, self._load, say, expiry(certificate), since)
        self._make: Make | None = None
        self._current: ssl.SSLContext | None = None
        Gauge(
            "certificate_expires_seconds",
            "Seconds until the certificate expires.",
            lambda: remaining(self.watch.expires),
        )

    def make_first(self, make: Make) -> ssl.SSLContext:
        """Return the context for the server.

        Args:
            make: makes a context with the certificate that is in the files at the time.
        """
        self._make = make
        first = self._current = make()
        first.sni_callback = self._use_current
        return first

    def _use_current(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _first: ssl.SSLContext
    ) -> None:
        if self._current is not None:
            connection.context = self._current

    async def _load(self) -> datetime:
        return await asyncio.to_thread(self._renew)

    def _renew(self) -> datetime:
        check_certificate(self._certificate, self._key)
        # Before it is in use: what has no date that can be read is not taken.
        expires = expiry(self._certificate)
        if self._make is not None:
            self._current = self._make()
        return expires
