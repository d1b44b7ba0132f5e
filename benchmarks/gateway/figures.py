"""Pure: what the times of many rounds come to. Times are milliseconds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.gateway.field import Entry
from benchmarks.timing import Spread, spread

Rounds = Mapping[str, Sequence[Sequence[float]]]
"""For each contender the times of its calls, round by round."""


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the sample below which a share of all lies (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True)
class PerCall:
    """What one contender's calls took, one after the other.

    Args:
        entry: the contender.
        calls: how many.
        p50: the median of all calls.
        p99: of all calls.
        overhead_p50: over the baseline's p50.
        overhead_p99: over the baseline's p99.
        ratio: the p50 of a round divided by the baseline's in the same round.
        ratio_p99: of all calls.
        cpu_p50: time of the processor in the caller's process; the server and waiting are not in it.
        cpu_ratio: of a round, as ``ratio``. It holds still where other work on the machine moves the clock's.
    """

    entry: Entry
    calls: int
    p50: float
    p99: float
    overhead_p50: float
    overhead_p99: float
    ratio: Spread
    ratio_p99: float
    cpu_p50: float
    cpu_ratio: Spread


def per_call(entries: Sequence[Entry], rounds: Rounds, cpu: Rounds) -> list[PerCall]:
    """Return the figures of each contender that ran, against its baseline in the same rounds.

    Args:
        entries: the contenders.
        rounds: by the clock.
        cpu: of the processor.
    """
    return [_of(entry, rounds, cpu) for entry in entries if rounds.get(entry.name)]


def _ratios(entry: Entry, rounds: Rounds) -> Spread:
    pairs = zip(rounds[entry.name], rounds[entry.baseline], strict=True)
    found = spread([median(ours) / median(theirs) for ours, theirs in pairs])
    assert found is not None
    return found


def _of(entry: Entry, rounds: Rounds, cpu: Rounds) -> PerCall:
    own, base = rounds[entry.name], rounds[entry.baseline]
    all_own, all_base = [t for one in own for t in one], [t for one in base for t in one]
    p50, p99 = percentile(all_own, 0.5), percentile(all_own, 0.99)
    base_p50, base_p99 = percentile(all_base, 0.5), percentile(all_base, 0.99)
    return PerCall(
        entry=entry,
        calls=len(all_own),
        p50=p50,
        p99=p99,
        overhead_p50=p50 - base_p50,
        overhead_p99=p99 - base_p99,
        ratio=_ratios(entry, rounds),
        ratio_p99=p99 / base_p99,
        cpu_p50=percentile([t for one in cpu[entry.name] for t in one], 0.5),
        cpu_ratio=_ratios(entry, cpu),
    )


@dataclass(frozen=True)
class Rate:
    """Calls a second by eight threads: least, median and most of the rounds, and the ratio to the baseline."""

    entry: Entry
    per_second: Spread
    ratio: Spread


def rates(entries: Sequence[Entry], found: Mapping[str, Sequence[float]]) -> list[Rate]:
    """Return the rates of each contender that ran.

    Args:
        entries: the contenders.
        found: for each, calls a second, round by round.
    """
    made = []
    for entry in entries:
        own, base = found.get(entry.name), found.get(entry.baseline)
        if own and base:
            per_second = spread(own)
            ratio = spread([ours / theirs for ours, theirs in zip(own, base, strict=True)])
            assert per_second is not None and ratio is not None
            made.append(Rate(entry, per_second, ratio))
    return made


@dataclass
class Tally:
    """What was ordered and what arrived."""

    calls: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    warm: frozenset[str] = frozenset()
    """Contenders whose first call makes the requests of a first call: a cache that knows nothing yet."""

    def wrong(self, entries: Sequence[Entry]) -> list[str]:
        """Return in sentences which counts are not what they have to be."""
        found = []
        for entry in entries:
            calls = self.calls.get(entry.name, 0)
            first = 1 if entry.name in self.warm and calls else 0
            for side, each in (("up", entry.up), ("down", entry.down)):
                expected = calls * each + (first if side == "up" else 0)
                arrived = self.requests.get(f"{entry.name}/{side}", 0)
                if arrived != expected:
                    found.append(f"{entry.label}: {calls} calls made {arrived} requests ({side}), not {expected}")
            arrived = sum(self.requests.get(f"{entry.name}/{side}", 0) for side in ("up", "down"))
            if entry.name in self.attempts and self.attempts[entry.name] != arrived:
                found.append(f"{entry.label}: {self.attempts[entry.name]} attempts, {arrived} requests")
            if not calls:
                found.append(f"{entry.label}: it did not run")
        return found
