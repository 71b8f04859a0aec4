"""The program that a model runs in: llama.cpp's own server, on loopback, until nobody uses it any more.

Run as ``python -m hybridchat.backends.embedded.server``; everything on its command line may be seen by all users of
the machine. The key is made here and stands only in the state file, which no other user can read.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from hybridchat.backends.embedded.state import ServerFiles, ServerState
from hybridchat.errors import HybridChatError
from hybridchat.processes import forbid_core_dumps


def main(arguments: list[str] | None = None) -> int:
    """Serve one model; return the exit status."""
    options = _options(arguments)
    files = ServerFiles(options.runtime, options.files)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    forbid_core_dumps()
    try:
        state = ServerState(os.getpid(), _created(), key=secrets.token_urlsafe(32), model=str(options.model))
        files.write(state)
        try:
            server = _load(options, state.key)
            port = int(server.listening_address.rpartition(":")[2])
            files.write(msgspec.structs.replace(state, port=port))
            _wait(files, options.idle_seconds, ended)
        finally:
            files.forget(state.pid)
    except (RuntimeError, HybridChatError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)  # noqa: T201 - standard error is the log file
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve one GGUF model on loopback for hybridchat.")
    parser.add_argument("--runtime", type=Path, required=True, help="the private folder of state, lease, lock and log")
    parser.add_argument("--files", required=True, help="the name of these files, without suffix")
    parser.add_argument("--model", type=Path, required=True, help="the GGUF file")
    parser.add_argument("--alias", required=True, help="the model's name in answers")
    parser.add_argument("--num-ctx", type=int, required=True, help="the context window in tokens")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--idle-seconds", type=float, required=True, help="end after this time without any use")
    return parser.parse_args(arguments)


def _load(options: argparse.Namespace, key: str) -> Any:
    import xllamacpp  # noqa: PLC0415 - the state is written first, so that others wait for this process

    params = xllamacpp.CommonParams()
    params.model.path = str(options.model)
    params.model_alias = {options.alias}
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
    params.n_ctx, params.n_parallel = options.num_ctx, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.warmup = False  # the first request warms up; loading shall not take longer
    # Browsers get no permission to read an answer, nor pages, nor a view of what others are asking.
    params.cors_origins = params.cors_methods = params.cors_headers = ""
    params.cors_credentials = params.ui = params.endpoint_slots = params.endpoint_metrics = False
    # By default up to 8 GiB of past prompts would be kept in memory, beside what was checked to be free.
    params.cache_ram_mib, params.cache_idle_slots = 0, False
    return xllamacpp.Server(params)


def _wait(files: ServerFiles, idle_seconds: float, ended: threading.Event) -> None:
    while not ended.wait(min(max(idle_seconds / 8, 0.05), 10)):
        if files.idle_seconds() >= idle_seconds:
            with files.lock():
                if files.idle_seconds() >= idle_seconds:
                    files.forget()
                    return


def _created() -> float:
    import psutil  # noqa: PLC0415 - as in ``state``

    return float(psutil.Process().create_time())


if __name__ == "__main__":
    sys.exit(main())
