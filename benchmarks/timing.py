"""Spreads of measured times, and what the REPORT records say of each function."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.requests import PREFIX

if TYPE_CHECKING:
    from twin.host.model import InvocationReport


@dataclass(frozen=True)
class Spread:
    """The least, the median and the most of some samples, in their unit."""

    minimum: float
    median: float
    maximum: float
    samples: int


@dataclass(frozen=True)
class FunctionTimes:
    """One function's times in milliseconds: its cold starts, the calls that had one, and the others."""

    function: str
    init: Spread | None
    first_call: Spread | None
    warm_call: Spread | None
    memory_mb: int


def spread(samples: Sequence[float]) -> Spread | None:
    """Return the spread of samples, or None where there is none."""
    return Spread(min(samples), median(samples), max(samples), len(samples)) if samples else None


def function_times(reports: Iterable["InvocationReport"]) -> list[FunctionTimes]:
    """Return the times of each function by name.

    Args:
        reports: the host's REPORT records.
    """
    grouped: dict[str, list[InvocationReport]] = defaultdict(list)
    for report in reports:
        grouped[report.function.removeprefix(PREFIX)].append(report)
    return [
        FunctionTimes(
            function=name,
            init=spread([one.init_ms for one in own if one.init_ms is not None]),
            first_call=spread([one.duration_ms for one in own if one.init_ms is not None]),
            warm_call=spread([one.duration_ms for one in own if one.init_ms is None]),
            memory_mb=max(one.max_memory_mb for one in own),
        )
        for name, own in sorted(grouped.items())
    ]
