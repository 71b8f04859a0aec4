"""What an escalation is expected to bring, what it costs, and the confidence below which it is worth it.

With ``p`` the confidence in the local answer, ``a`` and ``b`` the remote model's share of right answers where the
local one was right and wrong, an escalation is expected to gain ``a*p + b*(1-p) - p``. It is worth it when that is
more than its price, which the bias sets: that is, when ``p < (b - price) / (1 - a + b)``.
"""

from __future__ import annotations

from hybridchat.config.settings import Bias
from hybridchat.routing.prior import Remote

PRICES = {Bias.LOCAL: 0.25, Bias.BALANCED: 0.1, Bias.QUALITY: 0.02}
"""The gain in probability that an escalation must be expected to bring."""

AHEAD_AT_MOST = 0.2
"""The share of a month's budget by which spending may be ahead of the calendar; there the price reaches 1: no gain is
worth it any more."""


def gain(confidence: float, remote: Remote) -> float:
    """Return P(remote right) - P(local right), given the confidence in the local answer."""
    return remote.if_local_right * confidence + remote.if_local_wrong * (1 - confidence) - confidence


def worthwhile_below(price: float, remote: Remote) -> float:
    """Return the confidence below which the gain is more than ``price``, 0 (never) to 1 (always)."""
    slope = 1 - remote.if_local_right + remote.if_local_wrong
    if slope <= 0:  # a remote model that is always right where the local one is, and never elsewhere
        return 0.0
    return max(0.0, min(1.0, (remote.if_local_wrong - price) / slope))


def paced(price: float, ahead: float) -> float:
    """Return the price of a call while spending is ``ahead`` of the calendar, as a share of the month's budget."""
    return price + (1 - price) * max(0.0, min(1.0, ahead / AHEAD_AT_MOST))
