"""A check of the TLS certificate of a gateway or load balancer."""

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from shared.config import ConfigError


def check_certificate(certificate: str, key: str = "") -> None:
    """Check that a certificate and its private key can be used.

    Args:
        certificate: a file in PEM with the chain, and the key if `key` is not given.
        key: a file in PEM with the key, without a passphrase.

    Raises:
        ConfigError: they cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without the callback, OpenSSL would ask for a key's passphrase on the terminal.
        context.load_cert_chain(certificate, key or None, password=lambda: "")
    except (OSError, ValueError) as error:
        named = f"TLS_CERT={certificate}" + (f" with TLS_KEY={key}" if key else "")
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise ConfigError(
            f"{named} cannot be used as a certificate with its key: {reason}"
        ) from None


def expiry(certificate: str) -> datetime:
    """Return when the first certificate of a file expires, in UTC.

    Raises:
        ConfigError: there is none in it.
    """
    try:
        chain = x509.load_pem_x509_certificates(Path(certificate).read_bytes())
        return chain[0].not_valid_after_utc
    except (OSError, ValueError, IndexError, x509.InvalidVersion) as error:
        raise ConfigError(f"TLS_CERT={certificate} has no certificate: {error}") from None


def remaining(expires: datetime) -> float:
    """Return the seconds until a certificate expires; below 0 once it has."""
    return (expires - datetime.now(UTC)).total_seconds()


def expiry_file(run: Path) -> Path:
    """Return the file that says when the load balancer's certificate expires, in ISO 8601.

    Args:
        run: the folder of running processes in DATA_DIR.
    """
    return run / "certificate_expires"


def read_expiry(run: Path) -> datetime | None:
    """Return when the load balancer's certificate expires; None if it has none."""
    try:
        return datetime.fromisoformat(expiry_file(run).read_text())
    except (OSError, ValueError):
        return None


def only_pem(text: str) -> str:
    """Return the blocks of a PEM text without what stands between them, and without empty lines."""
    blocks = re.findall(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", text, re.DOTALL)
    lines = [
        [f"-----BEGIN {label}-----", *body.split(), f"-----END {label}-----"]
        for label, body in blocks
    ]
    return "".join(f"{line}\n" for block in lines for line in block)
