"""Looks at whether the confidence is calibrated on the model that would answer now."""

from __future__ import annotations

from hybridchat.backends.loopback import is_loopback
from hybridchat.cli import wiring
from hybridchat.cli.checkup.verdict import Case, Verdict, ok, warning
from hybridchat.cli.live_model import calibrations, live_model
from hybridchat.errors import HybridChatError


async def calibration(case: Case) -> Verdict | None:
    """Say whether there is a calibration, and whether it still holds; nothing where no local model answers."""
    settings = case.settings
    kept = calibrations(settings)
    try:
        backend = wiring.local_backend(settings)
        if backend.endpoint.url and not is_loopback(backend.endpoint.url) and not case.online:
            await backend.aclose()
            return None
        model = await live_model(backend)
    except HybridChatError:  # what is wrong is said by the checks of the model itself
        return None
    found = kept.of(model.name)
    if found is None or found.model is None:
        return ok("none: confidences come from the shipped prior; `hybridchat calibrate` makes one")
    if stale := found.model.differs(kept.live(model)):
        return warning(
            f"of {found.date}, but stale: {stale}; the shipped prior counts", "Run `hybridchat calibrate` again."
        )
    return ok(f"of {found.date}, from {found.questions} answers of this model")
