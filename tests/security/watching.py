"""Runs the program, all its children and native code included, where every system call that can reach out is seen."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_CALLS = "connect,sendto,sendmsg,sendmmsg,bind"
_INTERNET = re.compile(
    r"sa_family=AF_INET6?, sin6?_port=htons\((?P<port>\d+)\)"
    r'.*?(?:inet_addr\("(?P<v4>[^"]+)"\)|inet_pton\(AF_INET6, "(?P<v6>[^"]+)")'
)
_RESOLVER = re.compile(r'sa_family=AF_UNIX, sun_path=@?"[^"]*(?:systemd/resolve|io\.systemd\.Resolve|avahi)')
_HARMLESS_FAMILY = re.compile(r"sa_family=AF_(?:UNIX|LOCAL|NETLINK|UNSPEC)\b")
_DNS = 53


@dataclass(frozen=True)
class Watched:
    """How a run ended, and the ``attempts`` to reach beyond loopback or to look a name up, as the kernel was asked."""

    code: int
    out: str
    err: str
    attempts: tuple[str, ...]


def strace() -> str:
    """The program that watches; a test that needs it is skipped where there is none."""
    if sys.platform != "linux" or (found := shutil.which("strace")) is None:
        pytest.skip("strace is not installed")
    return found


def watching(log: Path) -> list[str]:
    """The command that runs what follows it and writes every attempt to connect or send to ``log``."""
    return [
        strace(),
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-s",
        "4096",
        "-e",
        f"trace={_CALLS}",
        "-e",
        "signal=none",
        "-o",
        str(log),
    ]


def run_watched(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None, stdin: str = ""
) -> Watched:
    """Run ``python`` with ``arguments``; detached children are waited for by whoever reads ``attempts`` later."""
    log = folder / "calls.log"
    done = subprocess.run(
        [*watching(log), sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return Watched(done.returncode, done.stdout, done.stderr, tuple(attempts(log.read_text("utf-8", "replace"))))


def attempts(log: str) -> Iterator[str]:
    """Yield the calls in a log that reach beyond loopback, listen to others than this machine, or look a name up."""
    for line in log.splitlines():
        if "sa_family=" not in line:
            continue
        addresses = list(_INTERNET.finditer(line))
        if _RESOLVER.search(line) or any(_reaches_out(address) for address in addresses):
            yield line
        elif not addresses and not _HARMLESS_FAMILY.search(line):
            yield line  # a family that this reader does not know


def _reaches_out(address: re.Match[str]) -> bool:
    host = ipaddress.ip_address(address["v4"] or address["v6"])
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
        host = host.ipv4_mapped
    return not host.is_loopback or int(address["port"]) == _DNS
