"""Write the spans that nobody lived to write, since their process was killed: whoever comes next does."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pentad.domain.models import EMBED_QUERY, Attempt, Outcome
from pentad.domain.runs import Run
from pentad.domain.tracing import EndedSpan, enter_place, find_retrieval_place, find_run_place
from pentad.models.ledger.attempt_spans import build_span
from pentad.observability.ports import Telemetry

CUT_OFF: Final = "cut_off"
"""The error of such a span. Of its usage and its end nobody knows: it ends when it began."""
DOCUMENTS: Final = "documents"
_EMBEDS: Final = "embed"


def record_cut_off(attempts: list[Attempt], run: Run, before: datetime, telemetry: Telemetry) -> list[Attempt]:
    """Write the spans of attempts that are only begun, and return all; again is the same spans.

    Args:
        attempts: of the run, as the ledger has them.
        run: whose they are.
        before: when what is under way now began: an attempt of that may still get its outcome.
        telemetry: takes the spans.
    """
    root = find_run_place(run)
    for one in attempts:
        if one.outcome is not Outcome.BEGUN or one.started_at >= before:
            continue
        with enter_place(find_retrieval_place(root) if _is_of_recall(one) else root):
            span = build_span(one, "embeddings" if one.context.purpose.startswith(_EMBEDS) else "chat", None)
        known = {name: value for name, value in span.attributes.items() if not name.startswith("gen_ai.usage.")}
        telemetry.record_span(replace(span, attributes=known, error=CUT_OFF))
    return attempts


def record_lost_search(attempts: list[Attempt], run: Run, telemetry: Telemetry) -> None:
    """Write the span of the search of a run that has failed in Recall, where it asked for embeddings: those are below.

    Args:
        attempts: of the run, as the ledger has them.
        run: one with a manifest got through Recall.
        telemetry: takes the span.
    """
    own = [one for one in attempts if _is_of_recall(one)]
    if run.manifest is not None or not own:
        return
    root = find_run_place(run)
    telemetry.record_span(
        EndedSpan(
            name=f"retrieval {DOCUMENTS}",
            place=find_retrieval_place(root),
            start=min(one.started_at for one in own),
            end=max(one.started_at + timedelta(milliseconds=one.duration_ms) for one in own),
            parent_id=root.span_id,
            attributes={"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": DOCUMENTS},
            error=CUT_OFF,
        )
    )


def _is_of_recall(attempt: Attempt) -> bool:
    return attempt.context.step is None and attempt.context.purpose == EMBED_QUERY
