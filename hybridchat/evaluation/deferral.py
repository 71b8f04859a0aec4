"""What quality is bought with how many remote calls.

PGR, APGR and CPT: Ong et al., *RouteLLM: learning to route LLMs with preference data* (ICLR 2025). AIQ: Hu et al.,
*RouterBench* (2024), with the share of remote calls as the cost.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from hybridchat.evaluation.ties import same_length, tied

_TOLERANCE = 1e-12

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class DeferralCurve:
    """Quality against the share of answers that go to the remote model, those of the highest score first.

    ``points`` are (share, quality) from (0, local) to (1, remote); between two of them the line is straight, because
    answers of equal score go in random order.
    """

    points: tuple[Point, ...]

    @property
    def local(self) -> float:
        """The local model's quality."""
        return self.points[0][1]

    @property
    def remote(self) -> float:
        """The remote model's quality."""
        return self.points[-1][1]

    @property
    def area(self) -> float:
        """The area under the curve: the mean quality over all shares."""
        return sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in itertools.pairwise(self.points))

    def quality(self, share: float) -> float:
        """Return the quality where ``share`` of the answers go to the remote model; over 1 counts as 1."""
        for (x1, y1), (x2, y2) in itertools.pairwise(self.points):
            if share <= x2:
                return y1 + (y2 - y1) * (share - x1) / (x2 - x1)
        return self.remote

    def calls_for(self, quality: float) -> float | None:
        """Return the least share of remote calls that reaches ``quality``; None where none does."""
        if self.local >= quality - _TOLERANCE:
            return 0.0
        for (x1, y1), (x2, y2) in itertools.pairwise(self.points):
            if y2 >= quality - _TOLERANCE:
                return x1 + (x2 - x1) * min(1.0, (quality - y1) / (y2 - y1))
        return None

    def apgr(self) -> float | None:
        """Return the mean over all shares of the performance gap recovered.

        ``PGR(r) = (quality(r) - local) / (remote - local)``; None where the remote model is not better.
        """
        gap = self.remote - self.local
        return (self.area - self.local) / gap if gap > _TOLERANCE else None

    def cpt(self, recovered: float) -> float | None:
        """Return the least share of calls that recovers ``recovered`` (0 to 1) of the gap; None without a gap."""
        gap = self.remote - self.local
        return self.calls_for(self.local + recovered * gap) if gap > _TOLERANCE else None

    def saved(self, share: float) -> float | None:
        """Return the share of remote calls avoided at ``share`` of the remote model's quality; None if out of reach."""
        calls = self.calls_for(share * self.remote)
        return None if calls is None else 1 - calls

    def aiq(self) -> float:
        """Return the area under the non-decreasing concave hull of the curve: the average improvement in quality."""
        hull: list[Point] = []
        for point in self.points:
            while len(hull) > 1 and _turns_up(hull[-2], hull[-1], point):
                hull.pop()
            hull.append(point)
        area = 0.0
        for (x1, y1), (x2, y2) in itertools.pairwise(hull):
            if y2 < y1:
                return area + (1 - x1) * y1
            area += (x2 - x1) * (y1 + y2) / 2
        return area


def deferral_curve(scores: Sequence[float], local: Sequence[float], remote: Sequence[float]) -> DeferralCurve:
    """Return the curve of sending answers to the remote model by descending score.

    ``local`` and ``remote`` hold each answer's quality, 0 or 1 for right and wrong.
    """
    n = same_length(scores, local, remote)
    sent, total = 0, float(sum(local))
    points = [(0.0, total / n)]
    for group in tied(scores, descending=True):
        sent += len(group)
        total += sum(remote[i] - local[i] for i in group)
        points.append((sent / n, total / n))
    return DeferralCurve(tuple(points))


def _turns_up(first: Point, middle: Point, last: Point) -> bool:
    (x0, y0), (x1, y1), (x2, y2) = first, middle, last
    return (y1 - y0) * (x2 - x1) <= (y2 - y1) * (x1 - x0)
