"""Statistics of a metric's values in a period, as CloudWatch names them. Pure."""

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MOST_VALUES = 2_000
"""Values that are kept of a minute of a metric: of more, so many drawn at random, so that percentiles stay right."""
_MOST_TIMES = 20_000
"""How often a value that was measured many times may be drawn."""
_random = random.Random(13)  # noqa: S311 - a sample, no secret
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_RANK = re.compile(r"PR\((-?\d+(?:\.\d+)?)?:(-?\d+(?:\.\d+)?)?\)", re.IGNORECASE)
_PLAIN = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


@dataclass
class Bucket:
    """The values of a metric in a span of time.

    Attributes:
        count: how many there were.
        total: their sum.
        low: the least.
        high: the greatest.
        values: all of them, or so many drawn at random.
    """

    count: float = 0
    total: float = 0
    low: float = math.inf
    high: float = -math.inf
    values: list[float] = field(default_factory=list)

    def add(self, value: float, times: float = 1) -> None:
        """Take one value, so many times."""
        self.total += value * times
        self.low, self.high = min(self.low, value), max(self.high, value)
        fits = min(int(times), MOST_VALUES - len(self.values))
        self.values.extend([value] * fits)
        # "Algorithm R" of reservoir sampling: each value is kept with the same chance, whenever it came.
        for number in range(fits, min(int(times), _MOST_TIMES)):
            place = _random.randrange(int(self.count) + number + 1)
            if place < MOST_VALUES:
                self.values[place] = value
        self.count += times


def join(buckets: Sequence[Bucket], *, values: bool = True) -> Bucket:
    """Return the values of spans as those of one.

    Args:
        buckets: of one metric; one at least.
        values: whether what is computed of it needs single values: drawing a sample of each takes most of the time.
    """
    return Bucket(
        count=sum(one.count for one in buckets),
        total=sum(one.total for one in buckets),
        low=min(one.low for one in buckets),
        high=max(one.high for one in buckets),
        values=_draw(buckets) if values else [],
    )


def _draw(buckets: Sequence[Bucket]) -> list[float]:
    """Return the values of spans: all of them, or of each the share that it has in what was measured."""
    count, there = sum(one.count for one in buckets), sum(len(one.values) for one in buckets)
    if count <= MOST_VALUES:
        return [value for one in buckets for value in one.values]
    kept, so_far = min(MOST_VALUES, there), 0.0
    drawn: list[float] = []
    for one in buckets:
        so_far += one.count
        share = round(kept * so_far / count) - len(drawn)
        drawn += _random.sample(one.values, min(share, len(one.values)))
    return drawn


def count_needed(name: str) -> int:
    """Return how many values a period has to have for a percentile to say something; 0 of another statistic.

    Source: "Percentile-based CloudWatch alarms and low data samples" of the CloudWatch user guide: 10 / (1 -
    percentile) from the middle on, else 10 / percentile.
    """
    percentile = _PERCENTILE.fullmatch(name)
    if percentile is None or not 0 < (part := float(percentile[1]) / 100) < 1:
        return 0
    return math.ceil(round(10 / ((1 - part) if part >= 0.5 else part), 6))


def needs_values(name: str) -> bool:
    """Tell whether a statistic is computed from single values."""
    return name not in _PLAIN


def find_statistic(name: str) -> Callable[[Bucket], float]:
    """Return what computes a statistic of a bucket with one value at least.

    Args:
        name: ``Sum``, ``p95``, ``PR(:30000)``, ...

    Raises:
        ValueError: CloudWatch has no such statistic, or it is one that is not computed here.
    """
    plain: dict[str, Callable[[Bucket], float]] = {
        "SampleCount": lambda bucket: bucket.count,
        "Average": lambda bucket: bucket.total / bucket.count,
        "Sum": lambda bucket: bucket.total,
        "Minimum": lambda bucket: bucket.low,
        "Maximum": lambda bucket: bucket.high,
    }
    if name in plain:
        return plain[name]
    percentile = _PERCENTILE.fullmatch(name)
    if percentile:
        return lambda bucket: compute_percentile(bucket.values, float(percentile[1]))
    rank = _RANK.fullmatch(name)
    if rank and (rank[1] or rank[2]):
        low = -math.inf if rank[1] is None else float(rank[1])
        high = math.inf if rank[2] is None else float(rank[2])
        return lambda bucket: 100 * sum(low < value <= high for value in bucket.values) / len(bucket.values)
    raise ValueError(f"the statistic {name!r} is not supported; use one of {', '.join(_PLAIN)}, pNN and PR(low:high)")


def compute_percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the values reach at most, between neighbours in proportion."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
