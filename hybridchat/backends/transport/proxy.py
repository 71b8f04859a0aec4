"""Which proxy a request goes through: the environment's, for TLS to other machines, and none otherwise.

Through a proxy TLS is a tunnel: it learns the host and sees nothing else. Plain HTTP it could read and answer, so where
that was allowed at all it goes straight to its server.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from hybridchat.backends.loopback import is_loopback


def may_use_proxy(url: str) -> bool:
    """Whether a request to ``url`` may follow the proxy settings of the environment."""
    return url.lower().startswith("https:") and not is_loopback(url)


def proxy_of(url: str) -> str:
    """Return host and port of the proxy that a request to ``url`` would go through; empty for none."""
    if not may_use_proxy(url):
        return ""
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all") or ""
    if not proxy or proxy_bypass(urlsplit(url).hostname or ""):
        return ""
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}").netloc.rpartition("@")[2]
