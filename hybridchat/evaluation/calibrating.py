"""From recorded and graded answers to a calibration of the model that gave them, and what can be promised with it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from hybridchat.errors import InputError
from hybridchat.evaluation.fitting import HeadFit, Sample
from hybridchat.evaluation.remote_fitting import fit_remote
from hybridchat.evaluation.traces import Trace
from hybridchat.routing.prior import END, FittedModel, Prior, Promise, shipped
from hybridchat.routing.warranty import NoWarranty, Warranty, warranty

FEWEST_LABELS = 20
FEWEST_OF_A_CLASS = 3
"""Right answers, and wrong ones, without which nothing can be learned about telling them apart."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration, and what it says of each graded answer by models that have not seen it.

    ``confidence`` and ``right`` belong together, in the order of the traces; ``basis`` says what they were read from.
    """

    prior: Prior
    confidence: tuple[float, ...]
    right: tuple[bool, ...]
    basis: str
    refitted: bool
    warranty: Warranty | NoWarranty


def fit_calibration(
    traces: Sequence[Trace], model: FittedModel, base: Prior | None = None, today: dt.date | None = None
) -> Fitted:
    """Fit a calibration of ``model`` to its answers, beginning with ``base`` (the shipped prior).

    Raises ``InputError`` where the answers cannot teach anything: too few are graded, or all are right, or all wrong.
    """
    base = base or shipped()
    _check(traces)
    scored = any(trace.local.tokens for trace in traces)
    logprobs = HeadFit(base.logprobs, Sample.of([t for t in traces if t.local.tokens], logprobs=True))
    text = HeadFit(base.text, Sample.of(traces, logprobs=False))
    shown = logprobs if scored else text
    confidence, right = [answer[END] for answer in shown.held_out], shown.sample.right
    promised = warranty(confidence, right)
    graded = [trace for trace in traces if trace.local.right is not None and (trace.local.tokens or not scored)]
    remote, pairs = fit_remote(list(zip(graded, confidence, strict=True)), base.remote)
    top_k = max((len(top) for trace in traces for _, _, top in trace.local.tokens), default=0)
    prior = Prior(
        fitted_on=f"{model.name}: {len(text.sample)} questions",
        date=(today or dt.datetime.now(tz=dt.UTC).date()).isoformat(),
        questions=len(text.sample),
        right=sum(text.sample.right),
        logprobs=logprobs.head,
        text=text.head,
        remote=remote,
        triggers=base.triggers,
        model=msgspec.structs.replace(model, top_k=top_k),
        pairs=pairs,
        promise=Promise(promised.threshold if isinstance(promised, Warranty) else None, str(promised)),
    )
    return Fitted(prior, tuple(confidence), tuple(right), "logprobs" if scored else "text", shown.refits, promised)


def _check(traces: Sequence[Trace]) -> None:
    outcomes = Counter(trace.local.right for trace in traces)
    right, wrong = outcomes[True], outcomes[False]
    if not right + wrong:
        raise InputError(
            "no answer could be graded, so that there is nothing to learn from",
            hint="Answers that are cut off have no grade: allow longer ones with --max-tokens.",
        )
    if not right or not wrong:
        raise InputError(
            f"all {right + wrong} graded answers are {'right' if right else 'wrong'}: "
            "what tells right ones from wrong ones cannot be learned from them",
            hint="Ask more questions, and " + ("harder ones." if right else "easier ones."),
        )
    if right + wrong < FEWEST_LABELS or min(right, wrong) < FEWEST_OF_A_CLASS:
        raise InputError(
            f"{right + wrong} graded answers ({right} right, {wrong} wrong) are too few for a calibration",
            hint=f"It takes {FEWEST_LABELS}, {FEWEST_OF_A_CLASS} of them right and {FEWEST_OF_A_CLASS} wrong; "
            "some hundreds make it good.",
        )
