"""What ``calibrate`` does: asks, grades, fits, keeps, prints; and shows what was calibrated or learned before."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from hybridchat.backends.protocol import Backend
from hybridchat.cli import wiring
from hybridchat.cli.counting import CountProgress
from hybridchat.cli.live_model import accepted_by, calibrations, live_model
from hybridchat.config import paths
from hybridchat.config.loading import load
from hybridchat.config.settings import Settings
from hybridchat.errors import HybridChatError, Interrupted
from hybridchat.evaluation import calibration_report
from hybridchat.evaluation.calibrating import fit_calibration
from hybridchat.evaluation.calibrations import Calibrations
from hybridchat.evaluation.items import Item
from hybridchat.evaluation.question_files import read_questions
from hybridchat.evaluation.questions import SEED, shipped
from hybridchat.evaluation.recording import Direct, Progress, Recording
from hybridchat.evaluation.remote_turns import RemoteTurns
from hybridchat.evaluation.traces import Trace
from hybridchat.plain.consent import Person
from hybridchat.plain.streams import Narration, Output
from hybridchat.plain.terminal import open_terminal
from hybridchat.routing.policy import LocalModel
from hybridchat.routing.prior import FittedModel

CAPS = {"short": 128, "long": 320}
"""The most tokens of an answer, by what the question asks for; the settings may allow fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The command line of one ``calibrate``; ``flags`` are the options that set a setting."""

    flags: Mapping[str, object]
    file: str | None = None
    limit: int | None = None
    remote_sample: int = 0
    allow_remote: bool = False
    quiet: bool = False

    @property
    def command(self) -> str:
        """The command that goes on from where this one was stopped."""
        return "hybridchat calibrate" + (f" {self.file}" if self.file else "")


def run(call: Call) -> int:
    """Calibrate the configured local model and return the exit code.

    Raises ``InputError`` and ``InputMissing`` for questions that cannot be read and answers that teach nothing,
    ``Interrupted`` when stopped, and whatever the local model's backend raises.
    """
    settings = load(call.flags).settings
    items = items_of(call)
    narration = Narration(sys.stderr, quiet=call.quiet)
    job = Asking(call, settings, items, narration)
    try:
        traces = asyncio.run(job.record())
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped: {job.done} of {len(items)} answers are kept", hint=f"`{call.command}` goes on from there."
        ) from None
    narration.say(f"fitting a calibration to {len(traces)} answers ...")
    fitted = fit_calibration(traces, job.model)
    path = job.kept.save(fitted.prior)
    Output(sys.stdout).write(calibration_report.as_text(fitted))
    narration.say(f"kept in {path}; answers of this very model are calibrated from now on")
    return 0


def show(call: Call) -> int:
    """Print every calibration that is kept, and whether it holds for the model that would answer now."""
    settings, output = load(call.flags).settings, Output(sys.stdout)
    kept = calibrations(settings)
    lines: list[str] = []
    live, problem = asyncio.run(_live(settings, kept))
    for prior in kept.all():
        assert prior.model is not None
        same = live is not None and prior.model.name == live.name
        lines += calibration_report.described(prior, prior.model.differs(live) if same and live is not None else "")
    if problem is not None:
        lines.append(f"which model would answer now is not known: {problem.message}")
    elif live is not None and kept.of(live.name) is None:
        lines.append(
            f"{calibration_report.short_name(live.name)} would answer now: not calibrated, the shipped prior counts"
        )
    output.write("".join(f"{line}\n" for line in lines or ["nothing is calibrated yet: run `hybridchat calibrate`"]))
    return 0


def from_history(call: Call) -> int:
    """Print what was learned from use."""
    settings = load(call.flags).settings
    lines = asyncio.run(_learned(settings))
    Output(sys.stdout).write("".join(f"{line}\n" for line in lines or ["nothing was learned from use yet"]))
    return 0


def items_of(call: Call) -> Sequence[Item]:
    """Return the questions that are asked for: those of a file, else the shipped ones."""
    if call.file is None:
        return shipped()[: call.limit]
    items = read_questions(paths.expanded(call.file))
    Random(SEED).shuffle(items)  # noqa: S311 - nothing secret; any first part shall be a fair sample
    return items[: call.limit]


class Asking:
    """Asks what is not answered yet; ``into`` is the file of the answers, else one that belongs to the calibration."""

    def __init__(
        self, call: Call, settings: Settings, items: Sequence[Item], narration: Narration, into: Path | None = None
    ) -> None:
        self._into = into
        self._call = call
        self._settings = settings
        self._items = items
        self._narration = narration
        self.kept = calibrations(settings)
        self.model = FittedModel("")
        self.done = 0

    async def record(self) -> list[Trace]:
        """Return the traces of the questions."""
        local = wiring.local_backend(self._settings)
        try:
            accepted = await accepted_by(local)
            self.model = self.kept.live(LocalModel(accepted.model, accepted.digest))
            if accepted.stand_in:
                self._narration.say(accepted.stand_in)
            if not self._call.remote_sample:
                return await self._ask(local, None)
            terminal = None if self._call.allow_remote else open_terminal()
            with closing(terminal) if terminal else nullcontext():
                person = Person(terminal) if terminal else None
                async with wiring.build(_for_remote(self._settings)) as assistant:
                    consent = person.consent if person else None
                    return await self._ask(
                        local, RemoteTurns(assistant, allow_remote=self._call.allow_remote, consent=consent)
                    )
        finally:
            await local.aclose()

    async def _ask(self, local: Backend, remote: RemoteTurns | None) -> list[Trace]:
        answer = self._settings.answer
        caps = {length: min(cap, answer.max_tokens) for length, cap in CAPS.items()}
        questions = self._call.file or f"shipped {SEED}"
        recording = Recording(
            self._into or self.kept.work_file(self.model, f"{questions} {caps}"),
            self._items,
            Direct(local, caps, answer.system, answer.temperature, answer.seed, template=self.model.template).local,
            remote.ask if remote else None,
            {item.id for item in self._items[: self._call.remote_sample]},
        )
        with CountProgress(self._narration, f"asking {calibration_report.short_name(self.model.name)}") as bar:

            def tell(progress: Progress) -> None:
                self.done = progress.done
                bar.step(progress.done, progress.total, progress.seconds_left)

            traces = await recording.run(tell)
        if (problem := recording.remote_problem) is not None:
            self._narration.insist(f"the remote model was not asked to the end: {problem.message}")
            if problem.hint:
                self._narration.insist(f"  {problem.hint}")
        return traces


def _for_remote(settings: Settings) -> Settings:
    """Return the settings under which the remote model is asked: its answers need not be longer than ours."""
    answer = settings.answer
    return replace(settings, answer=replace(answer, max_tokens=min(max(CAPS.values()), answer.max_tokens)))


async def _live(settings: Settings, kept: Calibrations) -> tuple[FittedModel | None, HybridChatError | None]:
    try:
        return kept.live(await live_model(wiring.local_backend(settings))), None
    except HybridChatError as error:
        return None, error


async def _learned(settings: Settings) -> list[str]:
    async with wiring.build(settings) as assistant:
        return [line for summary in await assistant.learned() for line in summary.lines()]
