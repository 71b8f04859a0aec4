"""A certificate for this machine that only tests trust: made with OpenSSL, self-signed, and good for a century."""

from __future__ import annotations

import ssl
from pathlib import Path

PEM = Path(__file__).with_name("localhost.pem")
"""Key and certificate of ``localhost`` and 127.0.0.1."""


def server_side() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context
