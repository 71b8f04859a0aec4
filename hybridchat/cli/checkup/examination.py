"""Runs all checks in order. Whatever one of them meets, the others are run, and the user sees no traceback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from hybridchat.cli.checkup import calibration, local, machine, remote
from hybridchat.cli.checkup.verdict import Case, State, Verdict, problem
from hybridchat.config.loading import load
from hybridchat.errors import BackendError, BadConfiguration, Blocked, HybridChatError

_LIMIT = 60.0  # seconds for one check, all of which have shorter limits of their own
_REPORT = "Please report it with what this command shows."

Check = Callable[[Case], Awaitable[Verdict | None]]

_WITHOUT_SETTINGS: dict[str, Callable[[Case | None], Awaitable[Verdict]]] = {
    "Python": machine.python,
    "SQLite": machine.sqlite,
}
_SETTINGS = "settings"
_LOCAL_ANSWER = "local answer"
_CHECKS: dict[str, Check] = {
    _SETTINGS: machine.settings,
    "data policy": machine.data_policy,
    "data folder": machine.data_folder,
    "conversations": machine.store,
    "Ollama": local.ollama,
    "model in Ollama": local.ollama_model,
    "embedded engine": local.embedded_engine,
    "embedded models": local.embedded_models,
    "memory": local.memory,
    _LOCAL_ANSWER: local.local_answer,
    "calibration": calibration.calibration,
    "keyring": remote.keyring,
    "remote model": remote.remote_model,
    "remote key": remote.remote_key,
    "remote server": remote.remote_server,
}
WIDEST_NAME = max(map(len, _CHECKS))


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of the check called ``name``."""

    name: str
    state: State
    found: str
    advice: str


class Examination:
    """One run of all checks. ``online`` allows asking hosts beyond loopback."""

    def __init__(self, *, online: bool = False) -> None:
        self._online = online
        self._settings_are_broken = False
        self._local_model_answers = False

    @property
    def exit_code(self) -> int:
        """0 where a local model can answer, 78 where the settings are broken, else 69; known at the end."""
        if self._settings_are_broken:
            return BadConfiguration.exit_code
        return 0 if self._local_model_answers else BackendError.exit_code

    async def findings(self) -> AsyncGenerator[Finding]:
        """Yield what each check finds; one that has nothing to say is left out.

        Raises ``Blocked`` where ``online`` is asked for in offline mode.
        """
        for name, look in _WITHOUT_SETTINGS.items():
            yield _finding(name, await _guarded(look(None)))
        try:
            case = Case(load(), online=self._online)
        except HybridChatError as error:
            self._settings_are_broken = True
            yield _finding(_SETTINGS, problem(error.message, error.hint))
            return
        if self._online and case.settings.privacy.offline:
            raise Blocked("offline mode is on: no server may be asked", hint="Run it without --online.")
        for name, check in _CHECKS.items():
            verdict = await _guarded(check(case))
            if verdict is None:
                continue
            works = verdict.state is not State.PROBLEM
            self._settings_are_broken |= name == _SETTINGS and not works
            self._local_model_answers |= name == _LOCAL_ANSWER and works
            yield _finding(name, verdict)


async def _guarded(work: Awaitable[Verdict | None]) -> Verdict | None:
    try:
        async with asyncio.timeout(_LIMIT):
            return await work
    except HybridChatError as error:
        return problem(error.message, error.hint)
    except TimeoutError:
        return problem(f"this check did not come to its end within {_LIMIT:g} s", _REPORT)
    except Exception as error:  # noqa: BLE001 -- whatever a check meets is a finding; its text may quote anything
        return problem(f"this check failed ({type(error).__name__})", _REPORT)


def _finding(name: str, verdict: Verdict | None) -> Finding:
    assert verdict is not None
    return Finding(name, verdict.state, verdict.found, verdict.advice)
