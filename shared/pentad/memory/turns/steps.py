"""The steps of the pipeline after a run that keep what was said: its words, then its vectors.

Two steps, so that what is said is found by its words at once, whether or not the embedder answers.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from pentad.domain.knowledge import Utterance
from pentad.domain.models import CallContext
from pentad.memory.remember.ports import Work
from pentad.memory.turns.cut import make_utterances
from pentad.memory.turns.ports import Owner, Place
from pentad.memory.turns.said import Said
from pentad.memory.turns.segments import name_model, quantise
from pentad.models.ports import Embedder

KEPT_DAYS: Final = 400
"""What a user's conversations hold is kept for so long after their newest segment was last written to."""
EMBED_BATCH: Final = 64
PURPOSE: Final = "embed_turns"
"""In the ledger. The attempts belong to no run: the run has ended, and what it cost is settled."""


def make_owner(work: Work) -> Owner:
    """Return whose conversation a part of work belongs to."""
    return Owner(work.tenant_id, work.user_id, work.session_id)


def compute_expiry(work: Work, days: int = KEPT_DAYS) -> datetime:
    """Return when what is kept of it may go: with the session where it has no user."""
    if work.user_id is None:
        return work.session.expires_at
    return work.session.updated_at + timedelta(days=days)


class KeepWords:
    """Keeps what was said, with its words.

    Args:
        said: where it is kept.
        keeps: tells whether what is said in an agent's sessions is kept.
        days: for how long what is a user's is kept.
    """

    name = "turns"
    recipe = "2"

    def __init__(self, said: Said, *, keeps: Callable[[str], bool] = lambda agent: True, days: int = KEPT_DAYS) -> None:
        self._said = said
        self._days = days
        self._keeps = keeps

    def run(self, work: Work) -> int:
        """Keep what was said in a part of a session; see the port.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if self._keeps(work.session.agent):
            said = make_utterances(work.spoken, work.session)
            self._said.add(make_owner(work), said, expires_at=compute_expiry(work, self._days))
        return work.next_seq


class KeepVectors:
    """Keeps a vector of each utterance.

    Args:
        said: where they are kept.
        embedder: makes them.
        keeps: tells whether what is said in an agent's sessions is kept.
        days: for how long what is a user's is kept.
    """

    name = "turn-vectors"
    recipe = "1"

    def __init__(
        self,
        said: Said,
        embedder: Embedder,
        *,
        keeps: Callable[[str], bool] = lambda agent: True,
        days: int = KEPT_DAYS,
    ) -> None:
        self._said = said
        self._days = days
        self._embedder = embedder
        self._keeps = keeps

    def run(self, work: Work) -> int:
        """Keep vectors of what was said in a part of a session; see the port.

        Raises:
            StoreUnavailable: the store did not answer.
            ModelUnavailable: the embedder did not answer.
            BudgetExceeded: the tenant's budget is used up.
        """
        utterances = make_utterances(work.spoken, work.session) if self._keeps(work.session.agent) else []
        for first in range(0, len(utterances), EMBED_BATCH):
            self._keep(work, utterances[first : first + EMBED_BATCH])
        return work.next_seq

    def _keep(self, work: Work, utterances: Sequence[Utterance]) -> None:
        context = CallContext(
            tenant_id=work.tenant_id,
            agent=work.session.agent,
            user_id=work.user_id,
            session_id=work.session_id,
            purpose=PURPOSE,
        )
        lines = [one.line for one in utterances]
        reply = self._embedder.embed(lines, context, deadline=work.deadline)
        vectors: dict[Place, tuple[bytes, float]] = {
            one.place: quantise(values) for one, values in zip(utterances, reply.vectors, strict=True)
        }
        self._said.add_vectors(
            make_owner(work),
            name_model(reply.model, reply.dimensions),
            vectors,
            expires_at=compute_expiry(work, self._days),
        )
