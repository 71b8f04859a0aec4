"""What a calibration is worth, as text for people: a table, a plot, the promise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from hybridchat.evaluation.calibrating import Fitted
from hybridchat.evaluation.honesty import ReliabilityBin, brier, ece, ideal_ece, reliability
from hybridchat.evaluation.plots import COLUMNS, reliability_diagram
from hybridchat.evaluation.ranking import auroc
from hybridchat.evaluation.report import Bin
from hybridchat.routing.prior import END, Prior
from hybridchat.routing.warranty import NoWarranty, Warranty

BINS = 10
FEWEST = 8
"""Answers that a row of the table should have, where there are not enough for all rows."""


def short_name(name: str) -> str:
    """Return a model's name, of a path only the file's."""
    return Path(name).name if name.endswith(".gguf") else name


def as_text(fitted: Fitted) -> str:
    """Return the reliability table and plot, the operating points and the promise."""
    sections = [_summary(fitted), _table(fitted), _diagram(fitted), _path(fitted.prior), promise(fitted.warranty)]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _summary(fitted: Fitted) -> Iterator[str]:
    prior, confidence, right = fitted.prior, fitted.confidence, fitted.right
    assert prior.model is not None
    area = auroc(confidence, right)
    head = prior.logprobs if fitted.basis == "logprobs" else prior.text
    method = head.checkpoints[END].calibration
    assert method is not None
    source = "token logprobs" if fitted.basis == "logprobs" else "the text alone: the server gives no logprobs"
    name, share = short_name(prior.model.name), sum(right) / len(right)
    yield from wrap(
        f"{name}: {len(right)} graded answers, {sum(right)} right ({share:.0%}); read from {source}", COLUMNS
    )
    yield from wrap(
        f"score {'refitted' if fitted.refitted else 'of the shipped prior'}, {method.method} calibration; the numbers "
        "below are of answers that neither has seen",
        COLUMNS,
    )
    yield (
        f"AUROC {'-' if area is None else f'{area:.3f}'}, Brier {brier(confidence, right):.3f}, "
        f"ECE {ece(confidence, right):.3f} (a perfectly honest one: {ideal_ece(confidence):.3f})"
    )
    remote = prior.remote
    if prior.pairs:
        source = f"measured on {prior.pairs} questions and drawn to the prior"
    else:
        source = "assumed from the prior: --remote-sample N measures it"
    yield from wrap(
        f"the remote model is right on {remote.if_local_right:.0%} where the local one is right, and on "
        f"{remote.if_local_wrong:.0%} where it is wrong ({source})",
        COLUMNS,
    )


def _table(fitted: Fitted) -> Iterator[str]:
    yield "How often answers of each confidence are right"
    yield f"{'answers':>9} {'confidence':>11} {'right':>7}"
    for one in _bins(fitted):
        yield f"{one.count:>9} {one.confidence:>11.0%} {one.accuracy:>7.0%}"


def _diagram(fitted: Fitted) -> Iterator[str]:
    yield from reliability_diagram([Bin(one.count, one.confidence, one.accuracy) for one in _bins(fitted)])


def _bins(fitted: Fitted) -> list[ReliabilityBin]:
    count = max(2, min(BINS, len(fitted.right) // FEWEST))
    return reliability(fitted.confidence, fitted.right, count)


def _path(prior: Prior) -> Iterator[str]:
    head = prior.logprobs if prior.logprobs.calibrated else prior.text
    limits = [
        f"{name} tokens: below {one.abort_below:.0%}" for name, one in head.checkpoints.items() if one.abort_below
    ]
    if limits:
        said = "While it streams, an answer may be set aside after " + ", ".join(limits)
        yield from wrap(f"{said}; over the whole path that ends at most 5% of the right ones.", COLUMNS)
    else:
        yield from wrap(
            "While it streams, no answer is set aside for its confidence: too few right ones are known.", COLUMNS
        )


def promise(found: Warranty | NoWarranty) -> Iterator[str]:
    """Yield the promise in plain words, or why there is none, and what to set to hold to it."""
    if isinstance(found, NoWarranty):
        yield from wrap(f"Warranty: that at most 10% of the answers I keep are wrong {found}.", COLUMNS)
        return
    yield from wrap(f"Warranty: {found}.", COLUMNS)
    yield from wrap(
        f"It holds where answers less sure than {found.threshold:.3f} are not kept: "
        f"`hybridchat config set routing.min_confidence {found.threshold:.3f}`. It is about questions like these.",
        COLUMNS,
    )


def described(prior: Prior, stale: str) -> Iterator[str]:
    """Yield what is known of a kept calibration; ``stale`` says why it does not hold now, empty where it does."""
    model = prior.model
    assert model is not None
    yield f"{short_name(model.name)}: calibrated on {prior.date} with {prior.questions} answers ({prior.right} right)"
    identity = {"digest": model.digest and model.digest[:19], "quantisation": model.quantisation}
    known = [f"{name} {value}" for name, value in identity.items() if value]
    known.append(f"{model.top_k} alternatives a token" if model.top_k else "no logprobs")
    yield f"  {', '.join(known)}"
    if prior.pairs:
        yield f"  the remote model was measured on {prior.pairs} questions"
    if prior.promise is not None:
        yield from wrap(f"warranty: {prior.promise.words}", COLUMNS, initial_indent="  ", subsequent_indent="    ")
    if stale:
        yield from wrap(
            f"stale: {stale}; the shipped prior counts instead. Run `hybridchat calibrate` again.",
            COLUMNS,
            initial_indent="  ",
            subsequent_indent="    ",
        )
