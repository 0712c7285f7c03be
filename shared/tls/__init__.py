"""TLS of a gateway or load balancer: cipher suites, and the certificate and its renewal."""

from typing import Final

CIPHERS: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
"""Cipher suites of TLS 1.2, as OpenSSL names them: with forward secrecy, and none with CBC.

These are Mozilla's "intermediate" ones without those of finite fields, which are slow.
"""

CIPHER_SUITES: Final = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
)
"""Cipher suites of TLS 1.3 (RFC 8446, appendix B.4)."""
