"""Choose what of a user's facts stands in front of a session: current, undoubted, within a number of tokens. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pentad.domain.memories.facts import Fact
from pentad.domain.memories.front import RememberedFact
from pentad.domain.taint.sources import merge_sources
from pentad.domain.usage import estimate_tokens
from pentad.memory.tokens import Counter

_RANK: Final = {"preference": 0, "behaviour": 1, "correction": 2, "fact": 2}
"""How the user wants to be served goes first: it concerns every answer."""
_FRAME_TOKENS: Final = 12
"""Of the tags around one fact."""


def choose_profile(
    facts: Sequence[Fact], tokens: int, now: datetime, count: Counter = estimate_tokens
) -> tuple[tuple[RememberedFact, ...], int]:
    """Return the facts that are given, in a stable order, and how many had no room.

    Those that concern every answer go first, then what was confirmed most often, then the newest.

    Args:
        facts: all that is remembered of the user.
        tokens: at most so many.
        now: decides what holds.
        count: estimates the tokens of a text.
    """
    held = [fact for fact in facts if fact.is_current(now) and fact.doubt is None]
    held.sort(key=lambda fact: (_RANK[fact.kind], -len(fact.evidence), -fact.valid_from.timestamp(), fact.fact_id))
    chosen: list[Fact] = []
    for fact in held:
        cost = count(fact.text) + _FRAME_TOKENS
        if cost <= tokens:
            tokens -= cost
            chosen.append(fact)
    # The oldest first, as a history reads; the id decides between those of one time.
    chosen.sort(key=lambda fact: (_find_said(fact), fact.fact_id))
    given = tuple(
        RememberedFact(
            fact_id=fact.fact_id,
            kind=fact.kind,
            text=fact.text,
            said_at=_find_said(fact),
            taint=merge_sources(*(one.taint for one in fact.evidence)),
        )
        for fact in chosen
    )
    return given, len(held) - len(chosen)


def _find_said(fact: Fact) -> datetime:
    """Return when a fact was said last."""
    return max([fact.edited_at or fact.valid_from, *(one.said_at for one in fact.evidence)])
