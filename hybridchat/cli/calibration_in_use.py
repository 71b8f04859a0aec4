"""Finds the calibration of the model that answers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hybridchat.config import paths

if TYPE_CHECKING:
    from hybridchat.config.settings import Settings
    from hybridchat.evaluation.calibrations import Calibrations
    from hybridchat.routing.gain import FindCalibration


def finds_calibration(settings: Settings) -> FindCalibration:
    """Return what finds the calibration of a model; nothing is read before one answers."""

    @cache
    def calibrations() -> Calibrations:
        from hybridchat.evaluation.calibrations import Calibrations  # noqa: PLC0415 -- once a model answers

        return Calibrations(paths.calibrations_folder(settings.store), settings.answer.system)

    return lambda model: calibrations().find(model)
