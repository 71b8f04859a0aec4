# recorded.jsonl holds answers of Qwen2.5-Coder-0.5B-Instruct, made with a forerunner of benchmarks/record_pair.py.

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridchat.messages import FinishReason, TokenLogprob
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import Action, Decision, Question

RECORDED = {
    trace["question"]: trace
    for trace in map(json.loads, Path(__file__).with_name("recorded.jsonl").read_text(encoding="utf-8").splitlines())
}


def replay(question: str) -> Decision:
    watch = GainPolicy().watch(Question(question))
    for token, logprob, top in RECORDED[question]["tokens"]:
        decision = watch.observe(token, [TokenLogprob(token, logprob, tuple(top))])
        if decision is not None and decision.action is Action.ESCALATE:
            return decision
    return watch.post(FinishReason.STOP)


@pytest.mark.parametrize("beginning", ["What is the capital of Italy", "How many days are there in a week"])
def test_an_easy_question_stays_local(beginning: str) -> None:
    question = next(question for question in RECORDED if question.startswith(beginning))
    assert replay(question).action is Action.KEEP


@pytest.mark.parametrize("beginning", ["Who wrote The Trial", "Wer schrieb den Roman 'Der Stechlin'"])
def test_a_hard_question_escalates_while_the_wrong_answer_streams(beginning: str) -> None:
    question = next(question for question in RECORDED if question.startswith(beginning))
    decision = replay(question)
    assert decision.action is Action.ESCALATE
    assert decision.tokens < len(RECORDED[question]["tokens"])
    assert "unsure" in decision.reason
