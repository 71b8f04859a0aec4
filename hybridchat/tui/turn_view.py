"""Shows one turn in the transcript as its events come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridchat import phrases
from hybridchat.events import (
    ContextCondensed,
    ContextTrimmed,
    Delta,
    Escalated,
    Event,
    Failed,
    Finished,
    FollowUp,
    KeptLocal,
    Loading,
    Measured,
    Opened,
    Routed,
    SetAside,
)
from hybridchat.messages import Place, Status
from hybridchat.tui.answer import Answer
from hybridchat.tui.provenance import Fold, Note, Question, Speaker, other_answer, set_aside, summary
from hybridchat.tui.status import confidence_forms

if TYPE_CHECKING:
    from textual.widget import Widget

    from hybridchat.tui.branches import Exchange
    from hybridchat.tui.status import Work
    from hybridchat.tui.transcript import Transcript


class TurnView:
    """One turn: the question, who answers, the answer or answers, and what is told about them.

    ``work`` is told what goes on, for the status. Where an earlier answer ``goes_on``, a seam stands in the
    question's place.
    """

    def __init__(self, transcript: Transcript, work: Work, question: Question | None, *, goes_on: bool = False) -> None:
        self._transcript = transcript
        self._work = work
        self._question = question
        self._goes_on = goes_on
        self._speaker = Speaker("one moment", goes_on=goes_on)
        self._answer: Answer | None = None
        self._answers: dict[str, Answer] = {}
        self._draft = True

    async def begin(self) -> None:
        """Show the question at once, before anything is known about its answer."""
        if self._question is None:
            await self._transcript.add(self._speaker)
        else:
            await self._transcript.begin_turn(self._question, self._speaker)
        self._transcript.follow()

    async def show(self, event: Event) -> None:  # noqa: C901, PLR0912 -- a case for each kind of event
        """Show one event."""
        match event:
            case Routed():
                self._routed(event)
            case Loading():
                self._wait(event)
            case Opened():
                await self._open(event.message_id, event.place, event.model, event.endpoint)
                if event.stand_in:
                    await self._tell(event.stand_in)
            case Delta():
                self._hear(event)
            case Measured():
                self._measure(event)
            case SetAside():
                await self._set_aside(event)
            case Escalated():
                await self._escalate(event)
            case KeptLocal():
                await self._keep_local(event)
            case ContextTrimmed():
                await self._tell(_trimmed(event))
            case ContextCondensed():
                await self._tell(condensed(event))
            case FollowUp():
                await self._tell(_follow_up(event))
            case Finished():
                await self._finish(event)
            case Failed():
                await self._fail(event)
            case _:
                self._work.doing, self._work.paused = "waits for your answer", True

    def _routed(self, event: Routed) -> None:
        self._draft = event.can_escalate
        self._work.place = event.place
        if self._question is not None:
            self._question.message_id = event.user_message_id
        self._speaker.wait_for(f"{event.reason}: waiting for the first word")

    def _wait(self, event: Loading) -> None:
        self._work.model, self._work.place, self._work.doing = event.model, event.place, f"waits: {event.reason}"
        if not self._speaker.speaking:
            self._speaker.wait_for(event.reason)

    async def _open(self, message_id: str, place: Place, model: str, endpoint: str) -> None:
        self._work.model, self._work.place, self._work.doing = model, place, "answers"
        if self._speaker.speaking:
            self._speaker = Speaker(goes_on=self._goes_on)
            await self._transcript.add(self._speaker)
        self._speaker.speak(model, place, endpoint)
        self._answer = self._answers[message_id] = Answer(
            draft=self._draft and place is Place.LOCAL, id=answer_id(message_id)
        )
        await self._transcript.add(self._answer)

    def _hear(self, event: Delta) -> None:
        if event.thinking:
            self._work.doing = "thinks"
            return
        self._work.hear(max(1, len(event.logprobs)))
        self._answers[event.message_id].feed(event.text)

    def _measure(self, event: Measured) -> None:
        self._work.confidence = confidence_forms(event.confidence, event.threshold)
        if event.threshold is None or event.confidence.value >= event.threshold:
            self._solid()

    async def _set_aside(self, event: SetAside) -> None:
        answer = self._answers[event.message_id]
        answer.finish()
        await self._transcript.add(Fold(answer, set_aside(event)))

    async def _escalate(self, event: Escalated) -> None:
        if event.from_message_id is None:
            await self._tell(event.reason)
        self._work.tokens, self._work.since, self._work.confidence, self._work.paused = 0, None, (), False
        await self._open(event.message_id, Place.REMOTE, event.model, event.endpoint)
        self._speaker.speak(event.model, Place.REMOTE, event.endpoint, event.redactions)

    async def _keep_local(self, event: KeptLocal) -> None:
        self._solid()
        self._work.doing = "answers"
        told = "\n".join(filter(None, [event.reason, event.hint]))
        if event.hint and any(note.text == told for note in self._transcript.query(Note)):
            told = f"{event.reason.partition(':')[0]}, for the same reason as before"
        await self._tell(told)

    async def _finish(self, event: Finished) -> None:
        if event.message_id not in self._answers:
            source = event.provenance
            await self._open(event.message_id, source.place, source.model, source.endpoint)
        answer = self._answers[event.message_id]
        answer.finish()
        answer.draft = False
        await self._transcript.add(Note("\n".join([phrases.provenance(event.provenance), *event.notes])))
        await self._transcript.trim()

    async def _fail(self, event: Failed) -> None:
        for answer in self._answers.values():
            answer.finish()
            answer.draft = False
        if not self._speaker.speaking:
            self._speaker.display = False
        if event.code == "interrupted":
            kept = "what was said is kept" if event.text else "nothing was said yet"
            await self._tell(f"stopped: {kept} (/continue, /retry, or /escalate to the remote model)")
            return
        kept = "\nWhat was said before is kept." if event.text else ""
        await self._tell("\n".join(filter(None, [event.message, event.hint])) + kept, error=True)

    def _solid(self) -> None:
        self._draft = False
        if self._answer is not None:
            self._answer.draft = False

    async def _tell(self, text: str, *, error: bool = False) -> None:
        await self._transcript.add(Note(f"{'failed: ' if error else ''}{text}", error=error))


def answer_id(message_id: str) -> str:
    """Return the widget's id for an answer."""
    return f"answer-{message_id}"


def stored(exchange: Exchange) -> list[Widget]:
    """Return what shows a stored exchange; answers that are not the one shown are folded, and not drawn before."""
    place = [version.id for version in exchange.versions].index(exchange.question.id) + 1
    version = f"({place} of {len(exchange.versions)})" if len(exchange.versions) > 1 else ""
    goes_on = exchange.question.goes_on
    question = Question(exchange.question.content, exchange.question.id, version=version)
    widgets: list[Widget] = [] if goes_on else [question]
    for other in exchange.others:
        hidden = Answer(id=answer_id(other.id))
        widgets += [hidden, Fold(hidden, other_answer(other), other.content)]
    shown = exchange.shown
    if shown is None:
        return [*widgets, Note("there is no answer to this yet: /continue asks again")]
    if shown.provenance is not None:
        widgets.append(Speaker.of(shown.provenance, place_among(exchange), goes_on=goes_on))
    note = Note(summary(shown) + (": /continue goes on" if shown.status is Status.PARTIAL else ""))
    return [*widgets, Answer(shown.content, id=answer_id(shown.id)), note]


def place_among(exchange: Exchange) -> str:
    """Return which of several answers is shown: ``answer 2 of 3``; nothing where there is one."""
    standing = [answer.id for answer in exchange.answers if answer.status is not Status.SET_ASIDE]
    if exchange.shown is None or exchange.shown.id not in standing or len(standing) < 2:
        return ""
    return f"answer {standing.index(exchange.shown.id) + 1} of {len(standing)}"


def condensed(event: ContextCondensed) -> str:
    """Return what to tell of a summary."""
    return (
        f"a summary stands for the oldest {phrases.counted(event.turns, 'turn')} in what the "
        f"{event.place} model is given: {event.tokens_before:,} tokens became {event.tokens_after:,}"
    )


def _follow_up(event: FollowUp) -> str:
    asked = f"the remote model asks about {event.document}: {event.question}"
    return asked if event.answer is None else f"the local model answered from {event.document}: {event.answer}"


def _trimmed(event: ContextTrimmed) -> str:
    window = f" the {event.window:,} tokens that" if event.window else " what"
    return (
        f"the conversation exceeds{window} the {event.place} model can read: "
        f"the oldest {phrases.counted(event.turns, 'turn')} left out"
    )
