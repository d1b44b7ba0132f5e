"""Settle what people said of turns: one verdict a turn, or none where they disagree. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final, Literal

from pydantic import Field

from pentad.domain.ids import RunId
from pentad.domain.values import FrozenValue

VerdictSource = Literal["review", "approval", "feedback"]
RANKS: Final[tuple[VerdictSource, ...]] = ("review", "approval", "feedback")
"""Who has looked closest comes first: a reviewer, an approver, whoever clicked."""


class TurnVerdict(FrozenValue):
    """What somebody said of a turn that the agent had rated."""

    run_id: RunId
    step: int = Field(ge=1)
    confidence: float = Field(ge=0, le=1)
    correct: bool
    source: VerdictSource


class Settled(FrozenValue):
    """One verdict for each turn."""

    turns: tuple[TurnVerdict, ...]
    disputed: int = Field(description="turns of which people of one kind said both: they count as neither")
    overruled: int = Field(description="turns of which somebody who looked closer said otherwise than others did")
    by_source: dict[VerdictSource, int] = Field(description="whose verdict counts")


def settle_verdicts(said: Iterable[TurnVerdict]) -> Settled:
    """Return what counts: of each turn the verdict of who looked closest; none where those disagree."""
    by_turn: defaultdict[tuple[str, int], list[TurnVerdict]] = defaultdict(list)
    for one in said:
        by_turn[one.run_id, one.step].append(one)
    turns: list[TurnVerdict] = []
    disputed = overruled = 0
    for place in sorted(by_turn):
        all_said = by_turn[place]
        closest = min(all_said, key=lambda one: RANKS.index(one.source)).source
        counts = [one for one in all_said if one.source == closest]
        if len({one.correct for one in counts}) > 1:
            disputed += 1
            continue
        overruled += any(one.correct != counts[0].correct for one in all_said)
        turns.append(counts[0])
    sources = Counter(one.source for one in turns)
    return Settled(
        turns=tuple(turns),
        disputed=disputed,
        overruled=overruled,
        by_source={source: sources[source] for source in RANKS},
    )
