"""Choose what of a ranking is recalled: nothing where a turn needs nothing, little by default, more where needed.

Pure. What is chosen is in deviations of scores and in shares, which mean the same for every embedding model. The gate's
cosines are those of the model that they were measured with; another's are translated by its scale.
"""

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from pentad.domain.usage import estimate_tokens
from pentad.memory.retrieval.scores.scales import MEASURED, ModelScale
from pentad.memory.turns.index import Ranking, Scored

RECALL_TOKENS: Final = 500
MOST_TOKENS: Final = 4000
MOST_TURNS: Final = 120

MARGIN: Final = 0.23
"""The nearest utterance is so far above the mean cosine."""
COSINE: Final = 0.3
"""And at least so near."""
COVER: Final = 0.6
RARITY: Final = 1.4
"""Or one has so much of what the question's words say, they say so much, and it has that cosine. Measured: 98 % of the
questions about what was said open the gate so, and 5 % of greetings, commands and questions about other things."""
COVER_ALONE: Final = 0.25
RARITY_ALONE: Final = 1.05
"""Where no embedder answered, the words alone decide: 94 % and 22 %."""
FEW: Final = 30
"""Of fewer utterances no word is rare; but then little can be recalled in vain."""
FLAT: Final = 1.2
"""Where what is at the edge of the budget scores within so many deviations of the best, the scores are flat."""
NEEDED: Final = 0.55
"""Beyond the default budget an utterance has to have so much of the best one's score."""
WORTH: Final = 0.45
"""Within it so much. Measured: 8 to 13 % fewer tokens for at most half a point of the evidence; with 0.5 another 6 %
fewer, for another point."""
LEAST_TOKENS: Final = 100
"""So much is given whatever the others score: the best alone may be a question, which is answered beside it."""

_PARTS: Final = re.compile(r"[?？؟](?=\s|\Z)|\b(?:and|or|both|each|all|every|compare|versus|vs)\b", re.IGNORECASE)  # noqa: RUF001


@dataclass(frozen=True)
class Nearest:
    """How near the nearest of what could be recalled is.

    Attributes:
        cover: the largest share of what the question's words say.
        rarity: the most that they say; see `index.Scored`. Endless where little was said.
        cosine: the highest, or None where none was compared.
        margin: by how much it is above what is usual.
    """

    cover: float
    rarity: float
    cosine: float | None
    margin: float

    @property
    def is_needed(self) -> bool:
        """Whether anything that was said speaks to the question."""
        if self.cosine is None:
            return self.cover >= COVER_ALONE and self.rarity >= RARITY_ALONE
        has_words = self.cover >= COVER and self.rarity >= RARITY
        return self.cosine >= COSINE and (self.margin >= MARGIN or has_words)


def find_nearest(scored: Sequence[Scored], usual: float, scale: ModelScale | None = None) -> Nearest:
    """Return how near the nearest of these are.

    Args:
        scored: what could be recalled.
        usual: the cosine that is usual among all that was said.
        scale: of the model that the cosines are of; None takes them as they are.
    """
    cover = max((one.cover for one in scored), default=0.0)
    rarity = max((one.rarity for one in scored), default=0.0) if len(scored) >= FEW else math.inf
    cosine = max((one.cosine for one in scored if one.cosine is not None), default=None)
    if cosine is not None and scale is not None:
        cosine, usual = scale.translate(cosine, MEASURED), scale.translate(usual, MEASURED)
    return Nearest(cover, rarity, cosine, 0.0 if cosine is None else cosine - usual)


@dataclass(frozen=True)
class Chosen:
    """What is recalled, and why.

    Attributes:
        scored: in the order of their scores.
        tokens: of their lines.
        reason: why so much: ``fits``, ``flat``, ``several parts``; why nothing: ``nothing said``, ``not needed``,
            ``in the window``: all of it, or what was just said speaks to the question at least as well as the rest.
        left_out: utterances that scored high enough and had no room.
        in_window: of the best ten, those that the model is sent anyway.
        nearest: what the gate has looked at; None where there was nothing to look at.
    """

    scored: tuple[Scored, ...] = ()
    tokens: int = 0
    reason: str = "nothing said"
    left_out: int = 0
    in_window: int = 0
    nearest: Nearest | None = None


def choose_said(
    ranking: Ranking,
    question: str,
    *,
    is_shown: Callable[[Scored], bool],
    is_told: Callable[[Scored], bool] = lambda one: False,
    tokens: int = RECALL_TOKENS,
    most_tokens: int = MOST_TOKENS,
    count: Callable[[str], int] = estimate_tokens,
    scale: ModelScale | None = None,
) -> Chosen:
    """Return what is recalled for a question.

    Args:
        ranking: what was said, best first.
        question: what is asked.
        is_shown: tells what the model is sent anyway, which is not recalled.
        is_told: tells what the newest messages of the conversation tell. Where the best of it is at least as good as
            all that could be recalled, the talk is about that, and nothing is.
        tokens: the default budget.
        most_tokens: the budget where it takes more.
        count: estimates the tokens of a text.
        scale: of the model that the ranking's cosines are of; None takes them as they are.
    """
    if not ranking.scored:
        return Chosen()
    hidden = [one for one in ranking.scored[: 4 * MOST_TURNS] if not is_shown(one)]
    in_window = sum(1 for one in ranking.scored[:10] if is_shown(one))
    if not hidden:
        return Chosen(reason="in the window", in_window=in_window)
    nearest = find_nearest(hidden, ranking.usual, scale)
    if tokens <= 0 or not nearest.is_needed:
        return Chosen(reason="not needed", in_window=in_window, nearest=nearest)
    if any(is_told(one) for one in ranking.scored if one.score >= hidden[0].score):
        return Chosen(reason="in the window", in_window=in_window, nearest=nearest)
    first, used = _fill(hidden, tokens, count)
    reason = _find_reason(hidden, first, question)
    share, most = (WORTH, tokens) if reason == "fits" else (NEEDED, most_tokens)
    first, used = _fill([one for one in hidden if one.score >= hidden[0].score * share], most, count)
    if used < min(LEAST_TOKENS, tokens):
        first, used = _fill(hidden, min(LEAST_TOKENS, tokens), count)
    chosen = {one.utterance.place for one in first}
    left = sum(1 for one in hidden if one.score >= hidden[0].score * NEEDED and one.utterance.place not in chosen)
    return Chosen(tuple(first), used, reason, left, in_window, nearest)


def _fill(scored: Collection[Scored], tokens: int, count: Callable[[str], int]) -> tuple[list[Scored], int]:
    """Return the best that fit, no text twice, and their tokens."""
    chosen: list[Scored] = []
    texts: set[str] = set()
    used = 0
    for one in scored:
        if len(chosen) == MOST_TURNS:
            break
        cost = count(one.utterance.line)
        if one.utterance.text in texts or used + cost > tokens:
            continue
        texts.add(one.utterance.text)
        chosen.append(one)
        used += cost
    return chosen, used


def _find_reason(hidden: list[Scored], first: list[Scored], question: str) -> str:
    if len(first) >= len(hidden):
        return "fits"
    if len(_PARTS.findall(question)) >= 2:
        return "several parts"
    best, last = first[0].score if first else 0.0, first[-1].score if first else 0.0
    return "flat" if best - last < FLAT else "fits"
