"""Shows two real turns with the same settings: one that stays local, one that escalates mid-stream.

``python -m benchmarks.transcript --local SMALL.gguf --remote LARGE.gguf [--stay QUESTION] [--escalate QUESTION]`` runs
llama.cpp's server twice on loopback, one as the local model and one as the remote one, and ``hybridchat ask`` in a
terminal of its own. No threshold is set: the shipped prior decides. Data policy is ``allow``, so nothing is asked.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

import pexpect

from tests.servers.llama_cpp import run_llama_server

STAYS = "What is the capital of France?"
ESCALATES = "Who wrote The Tin Drum? Name the author, then say in two sentences what it is about."


def ask(question: str, environ: dict[str, str]) -> str:
    """Return what a terminal shows of ``hybridchat ask QUESTION``."""
    command = [sys.executable, "-m", "hybridchat", "ask", question]
    child = pexpect.spawn(command[0], command[1:], env=environ, encoding="utf-8", dimensions=(50, 100), timeout=600)
    child.expect(pexpect.EOF)
    child.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", child.before or "")
    return f'$ hybridchat ask "{question}"\n{shown.rstrip()}\n'


def main() -> None:
    """Print both transcripts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", type=Path, required=True, help="the small model's GGUF file")
    parser.add_argument("--remote", type=Path, required=True, help="the large model's GGUF file")
    parser.add_argument("--stay", default=STAYS)
    parser.add_argument("--escalate", default=ESCALATES)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as home,
        run_llama_server(options.local) as local,
        run_llama_server(options.remote) as remote,
    ):
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "TERM": "xterm-256color",
            "NO_COLOR": "1",
            "HYBRIDCHAT_LOCAL_BACKEND": "llama.cpp",
            "HYBRIDCHAT_LOCAL_URL": local.url,
            "LLAMA_API_KEY": local.key,
            "HYBRIDCHAT_LOCAL_MODEL": options.local.stem,
            "HYBRIDCHAT_REMOTE_PRESET": "custom",
            "HYBRIDCHAT_REMOTE_URL": remote.url,
            "HYBRIDCHAT_REMOTE_MODEL": options.remote.stem,
            "HYBRIDCHAT_KEY_CUSTOM": remote.key,
            "HYBRIDCHAT_PRIVACY_DATA_POLICY": "allow",
            "HYBRIDCHAT_ANSWER_TEMPERATURE": "0",
            "HYBRIDCHAT_ANSWER_MAX_TOKENS": "160",
        }
        for question in (options.stay, options.escalate):
            print(ask(question, environ))


if __name__ == "__main__":
    main()
