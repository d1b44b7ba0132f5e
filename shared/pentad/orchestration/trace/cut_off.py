"""Write the spans of model attempts whose process was killed before they had an outcome: whoever comes next does."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from pentad.domain.models import Attempt, Outcome
from pentad.models.ledger.attempt_spans import build_span
from pentad.observability.ports import Telemetry

CUT_OFF: Final = "cut_off"
"""The error of such a span. Of its usage and its end nobody knows: it ends when it began."""
_EMBEDS: Final = "embed"


def record_cut_off(attempts: list[Attempt], before: datetime, telemetry: Telemetry) -> list[Attempt]:
    """Write the spans of attempts that are only begun, and return all; again is the same spans.

    Args:
        attempts: of a run, as the ledger has them.
        before: when what is under way now began: an attempt of that may still get its outcome.
        telemetry: takes the spans.
    """
    for one in attempts:
        if one.outcome is not Outcome.BEGUN or one.started_at >= before:
            continue
        span = build_span(one, "embeddings" if one.context.purpose.startswith(_EMBEDS) else "chat", None)
        known = {name: value for name, value in span.attributes.items() if not name.startswith("gen_ai.usage.")}
        telemetry.record_span(replace(span, attributes=known, error=CUT_OFF))
    return attempts
