"""Say what a context consists of: each piece, why it is in, how large it is, and what stayed out. Pure."""

from pentad.domain.memories.front import Remembered
from pentad.domain.runs import Piece, Source
from pentad.memory.context.recall_turns import MOST_SOURCES, RecalledTurns
from pentad.memory.context.window import Epoch
from pentad.memory.retrieval.passages import estimate_given
from pentad.memory.retrieval.remembered import estimate_remembered
from pentad.memory.sessions.ports import StoredMessage
from pentad.memory.tokens import Counter, estimate_message


def describe_context(
    epoch: Epoch,
    newest: StoredMessage,
    turns: RecalledTurns | None,
    count: Counter,
    front: Remembered | None = None,
) -> tuple[Piece, ...]:
    """Return the pieces of a run's first context, in the order in which they are sent.

    Args:
        epoch: where the context begins, and its tokens.
        newest: the user's message with what is given with it.
        turns: what was recalled of earlier conversations; None where nothing was looked for.
        count: estimates the tokens of a text.
        front: what stands in front of the epoch.
    """
    own = newest.estimated_tokens or estimate_message(newest.message, count)
    shown = 0 if front is None else estimate_remembered(front, count)
    before = newest.seq - epoch.first_seq
    pieces = [] if front is None else _describe_front(front, count)
    if before > 0:
        reason = "the session's messages since its epoch began, as they were sent"
        tokens = max(0, epoch.estimated_tokens - own - estimate_given(newest, count) - shown)
        pieces.append(Piece(kind="history", count=before, tokens=tokens, reason=reason, left_out=epoch.first_seq))
    if turns is not None:
        pieces.append(turns.piece)
    if newest.passages:
        pieces.append(_describe_passages(newest, count))
    pieces.append(Piece(kind="question", count=1, tokens=own, reason="what is asked"))
    return tuple(pieces)


def _describe_front(front: Remembered, count: Counter) -> list[Piece]:
    pieces: list[Piece] = []
    if front.facts or front.left_out:
        alone = front.model_copy(update={"summary": None})
        sources = tuple(Source(name=fact.fact_id, tokens=count(fact.text)) for fact in front.facts[:MOST_SOURCES])
        pieces.append(
            Piece(
                kind="profile",
                count=len(front.facts),
                tokens=estimate_remembered(alone, count),
                reason="what is remembered of the user, as it was when the session's epoch began",
                sources=sources,
                left_out=front.left_out,
            )
        )
    if front.summary is not None:
        first, last = front.summary.first_seq, front.summary.last_seq
        pieces.append(
            Piece(
                kind="summary",
                count=last - first + 1,
                tokens=estimate_remembered(front.model_copy(update={"facts": ()}), count),
                reason=f"a summary of messages {first + 1} to {last + 1}, which are no longer sent",
            )
        )
    return pieces


def _describe_passages(newest: StoredMessage, count: Counter) -> Piece:
    passages = sorted(newest.passages, key=lambda passage: -passage.score)
    alone = newest.model_copy(update={"recalled": ()})
    sources = tuple(
        Source(
            name=f"{passage.document} {passage.passage_id}"[:300],
            tokens=count(passage.text),
            score=round(passage.score, 3),
            signal="dense",
        )
        for passage in passages[:MOST_SOURCES]
    )
    return Piece(
        kind="passages",
        count=len(passages),
        tokens=estimate_given(alone, count),
        reason="the passages of documents that are nearest to the question",
        signals={"best": round(passages[0].score, 3), "least": round(passages[-1].score, 3)},
        sources=sources,
    )
