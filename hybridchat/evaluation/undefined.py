"""Says why numbers are missing, in plain words."""

from __future__ import annotations

from hybridchat.evaluation.answers import Answers
from hybridchat.evaluation.baselines import FEWEST
from hybridchat.evaluation.report import Source


def reasons(source: Source, answers: Answers) -> list[str]:
    """Return a sentence for each kind of number that these traces cannot give."""
    return [*_of_signals(source), *_of_labels(source, answers), *_of_pairs(source)]


def _of_signals(source: Source) -> list[str]:
    without = source.traces - source.with_logprobs
    if not without:
        return []
    which = "no trace has" if not source.with_logprobs else f"{without} of {source.traces} traces do not have"
    return [
        f"{which} logprobs: there, the confidence was read from the text alone, and no answer was cut short on doubt"
    ]


def _of_labels(source: Source, answers: Answers) -> list[str]:
    if not source.labelled:
        what = "no trace says whether the local answer is right: all that hangs on that is undefined"
        return [f"{what}, and only what the policy did is told"]
    found: list[str] = []
    if source.labelled < source.traces:
        found.append(
            f"{source.traces - source.labelled} of {source.traces} traces are not graded and count as turns only"
        )
    right = sum(answers.right(answers.labelled))
    if right in (0, source.labelled):
        found.append(
            f"the local answers are all {'right' if right else 'wrong'}: nothing can be told apart, so every AUROC and "
            "the rows that are fitted (question-only, answer-length-only) are undefined"
        )
    elif source.labelled < FEWEST:
        found.append(
            f"{source.labelled} graded answers are fewer than the {FEWEST} that the rows question-only and "
            "answer-length-only are fitted on: they are left out"
        )
    return found


def _of_pairs(source: Source) -> list[str]:
    if not source.labelled:
        return []
    if not source.paired:
        what = "what escalating buys (PGR, APGR, CPT, AIQ, calls saved, regret)"
        return [f"no trace has a graded remote answer: {what} is undefined"]
    found: list[str] = []
    if source.paired < source.labelled:
        found.append(
            f"{source.paired} of {source.labelled} graded traces have a graded remote answer: what escalating buys was "
            "measured on those"
        )
    if (source.gain or 0) <= (source.loss or 0):
        found.append("the remote model is not better than the local one here: PGR, APGR and CPT are undefined")
    return found
