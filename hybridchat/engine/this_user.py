"""Who runs this program, where, as far as the system says so without being asked over a network."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from hybridchat.privacy.identity import Identity

_GIT_NAME = re.compile(r"^\s*name\s*=\s*\"?([^\"\n#;]{2,100}?)\"?\s*$", re.MULTILINE)
_MOST = 64 * 1024  # bytes of a configuration of git's that are read


def this_user() -> Identity:
    """Return the user's names, accounts and home directories, and this machine's name.

    Read anew each time: environment, the account's entry, git's configuration. What cannot be read is left out.
    """
    home = str(Path.home())
    entry = _account_entry()
    return Identity(
        names=tuple(dict.fromkeys(filter(None, [entry[0], *_git_names(Path(home))]))),
        accounts=tuple(dict.fromkeys(filter(None, [_account(), Path(home).name]))),
        homes=tuple(dict.fromkeys(filter(None, [home, entry[1]]))),
        hosts=(socket.gethostname(),),
    )


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no environment says so, and the account has no entry
        return ""


def _account_entry() -> tuple[str, str]:
    """Return full name and home directory out of the list of accounts; empty where there is none."""
    try:
        import pwd  # noqa: PLC0415 -- Windows has no such list
    except ImportError:
        return "", ""
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return "", ""
    name = entry.pw_gecos.partition(",")[0].strip()
    return ("" if name == entry.pw_name else name), entry.pw_dir


def _git_names(home: Path) -> Iterator[str]:
    for file in (home / ".gitconfig", home / ".config" / "git" / "config"):
        try:
            with file.open(encoding="utf-8", errors="replace") as lines:
                text = lines.read(_MOST)
        except OSError:
            continue
        user = re.search(r"^\s*\[user\]([^\[]*)", text, re.MULTILINE)
        name = _GIT_NAME.search(user[1]) if user else None
        if name:
            yield name[1].strip()
