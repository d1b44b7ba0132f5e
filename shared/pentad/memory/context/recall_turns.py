"""Recall what was said earlier: in this session before the window, and in the user's other sessions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pentad.domain.declarations.agents import MemorySpec
from pentad.domain.knowledge import Utterance
from pentad.domain.runs import Piece, Source
from pentad.domain.usage import estimate_tokens
from pentad.memory.context.asking import looks_back, may_ask
from pentad.memory.context.told import find_told
from pentad.memory.retrieval.scores.scales import ModelScale
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.memory.tokens import Counter
from pentad.memory.turns.index import Scored, rank_said
from pentad.memory.turns.ports import Owner
from pentad.memory.turns.said import Memory, Said
from pentad.memory.turns.select import Chosen, choose_said

MOST_SOURCES = 40


@dataclass(frozen=True)
class TurnQuery:
    """What is searched for.

    Attributes:
        text: what is asked, with the question before it in a follow-up.
        vector: its vector, or None where no embedder answered.
        model: what made the vector.
        scale: what its cosines say; None where that is not known.
    """

    text: str
    vector: Sequence[float] | None = None
    model: str = ""
    scale: ModelScale | None = None


@dataclass(frozen=True)
class RecalledTurns:
    """What is recalled, in the order in which it was said, and the manifest's piece of it."""

    said: tuple[Utterance, ...]
    piece: Piece


class RecallTurns:
    """Finds what was said earlier and speaks to a question.

    Args:
        said: where it is kept.
        count: estimates the tokens of a text.
        asks: tells of a user's words whether they may ask for something; where they do not, nothing is recalled.
    """

    def __init__(self, said: Said, count: Counter = estimate_tokens, *, asks: Callable[[str], bool] = may_ask) -> None:
        self._said = said
        self._count = count
        self._asks = asks

    def load(self, head: Session) -> Memory | None:
        """Return what is kept of the session's user, or None where there is nothing to recall.

        Without a user it is the session's own, and none of that is outside of the window before an epoch has turned.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if head.user_id is None and head.epoch_first_seq == 0:
            return None
        memory = self._said.load(Owner(head.tenant_id, head.user_id, head.session_id))
        return memory if any(segment.said for segment in memory.words) else None

    def may_need(self, text: str) -> bool:
        """Return whether a message may need what was said earlier: it asks, or looks back."""
        return self._asks(text)

    def find(
        self,
        head: Session,
        memory: Memory,
        asked: TurnQuery,
        window: Sequence[StoredMessage],
        first_seqs: tuple[int, int],
        spec: MemorySpec,
    ) -> RecalledTurns:
        """Return what is given with a question.

        Args:
            head: the session's.
            memory: as `load` returned it.
            asked: what is searched for.
            window: messages of the session that were read, the newest last, which is answered; what they hold or were
                given is not recalled.
            first_seqs: the first message of the session that the model is sent, and the first that is sent with what
                was given with it.
            spec: the agent's budget.
        """
        if not self.may_need(window[-1].message.text):
            return RecalledTurns((), Piece(kind="turns", count=0, tokens=0, reason="nothing asked"))
        first_seq, first_given = first_seqs
        given = {one.place for stored in window if stored.seq >= first_given for one in stored.recalled}

        def is_shown(one: Scored) -> bool:
            said = one.utterance
            return (said.session_id == head.session_id and said.seq >= first_seq) or said.place in given

        # Who looks back is not content with what was just said.
        told = frozenset() if looks_back(window[-1].message.text) else find_told(window, first_seq)

        def is_told(one: Scored) -> bool:
            return one.utterance.session_id == head.session_id and one.utterance.seq in told

        ranking = rank_said(memory, asked.text, asked.vector, model=asked.model)
        chosen = choose_said(
            ranking,
            asked.text,
            is_shown=is_shown,
            is_told=is_told,
            tokens=spec.recall_tokens,
            most_tokens=max(spec.recall_tokens, spec.most_recall_tokens),
            count=self._count,
            scale=asked.scale,
        )
        said = sorted((one.utterance for one in chosen.scored), key=lambda one: (one.at, one.place))
        return RecalledTurns(tuple(said), _describe(chosen, memory, self._count))


def _describe(chosen: Chosen, memory: Memory, count: Counter) -> Piece:
    """Return the manifest's piece: why so much, or nothing, and what stayed out."""
    signals: dict[str, float] = {}
    if chosen.nearest is not None:
        signals["cover"] = round(chosen.nearest.cover, 3)
        if chosen.nearest.cosine is not None:
            signals |= {"cosine": round(chosen.nearest.cosine, 3), "margin": round(chosen.nearest.margin, 3)}
    reason = chosen.reason
    if memory.is_cut:
        reason = f"{reason}; only the newest of what is kept was searched"
    sources = tuple(
        Source(
            name="{}#{}.{}".format(*one.utterance.place),
            tokens=count(one.utterance.line),
            score=round(one.score, 3),
            signal=max(one.signals, key=lambda name: one.signals[name]),
        )
        for one in chosen.scored[:MOST_SOURCES]
    )
    return Piece(
        kind="turns",
        count=len(chosen.scored),
        tokens=chosen.tokens,
        reason=reason,
        signals=signals,
        sources=sources,
        left_out=chosen.left_out,
    )
