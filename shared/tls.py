"""A check of the TLS certificate of a gateway or load balancer."""

import ssl

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
