from __future__ import annotations

import json
from pathlib import Path

from benchmarks.draft import Outcome, ask, summary, table
from hybridchat.backends.scripted import ScriptedBackend, script
from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.recording import Direct
from hybridchat.evaluation.traces import LocalTrace, RemoteTrace, Trace
from hybridchat.handover.draft import with_draft
from hybridchat.messages import FinishReason
from tests.engine.conftest import REMOTE

ITEM = Item("q1", "What is 2 + 2?", Check(Kind.NUMBER, ("4",)))
TRACE = Trace(
    "q1",
    ITEM.question,
    LocalTrace("small", "5", FinishReason.STOP, 1.0),
    remote=RemoteTrace("large", "4", FinishReason.STOP, 1.0),
)


async def test_the_question_is_asked_with_the_draft_below_it_and_both_answers_are_graded(tmp_path: Path) -> None:
    backend = ScriptedBackend(REMOTE, script(["5"], None))
    out = tmp_path / "out.jsonl"
    outcomes = await ask({"q1": ITEM}, [TRACE], Direct(backend, {"short": 64}), out)
    assert backend.requests[0].messages[-1].content == with_draft(ITEM.question, "5")
    assert outcomes == [Outcome("q1", draft=False, alone=True, with_draft=False, repeats=True)]
    assert json.loads(out.read_text("utf-8"))["repeats"] is True
    again = await ask({"q1": ITEM}, [TRACE], Direct(backend, {"short": 64}), out)
    assert again == outcomes
    assert len(backend.requests) == 1


def test_the_table_shows_the_difference_and_parts_right_drafts_from_wrong_ones() -> None:
    outcomes = [
        Outcome(str(number), draft=number < 4, alone=True, with_draft=number < 4, repeats=False) for number in range(8)
    ]
    rows = summary(outcomes)
    lines = table(rows).splitlines()
    assert list(rows) == ["all", "draft right", "draft wrong"]
    assert lines[2].startswith("| all | 8 | 0.50 |")
    assert lines[3:] == [
        "| draft right | 4 | 1.00 | 1.00 (1.00 to 1.00) | 1.00 (1.00 to 1.00) | +0.00 (+0.00 to +0.00) | 0.00 |",
        "| draft wrong | 4 | 0.00 | 1.00 (1.00 to 1.00) | 0.00 (0.00 to 0.00) | -1.00 (-1.00 to -1.00) | 0.00 |",
    ]
