"""How long the process of a function took to begin, as its first answer in an execution's history says. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from pentad.domain.reading.json_text import read_json

COLD_START: Final = "cold_start"
"""The field of a function's answer: milliseconds from the start of its process to its being ready, or how Lambda made
it ready where that was done before (``snap-start``, ``provisioned-concurrency``)."""
_LONGEST_MS = 600_000
_KINDS = frozenset({"snap-start", "provisioned-concurrency", "lambda-managed-instances"})


def find_cold_start(event: Mapping[str, Any]) -> dict[str, int | str]:
    """Return what the end of a task says of its function's process: nothing where it was ready already.

    Args:
        event: of an execution's history.
    """
    details = event.get("taskSucceededEventDetails") or event.get("lambdaFunctionSucceededEventDetails") or {}
    try:
        output = read_json(details.get("output") or "{}")
    except ValueError:
        return {}
    answer = output.get("Payload", output) if isinstance(output, dict) else None
    said = answer.get(COLD_START) if isinstance(answer, dict) else None
    if isinstance(said, int) and not isinstance(said, bool) and 0 <= said <= _LONGEST_MS:
        return {"cold_start_ms": said}
    return {COLD_START: said} if isinstance(said, str) and said in _KINDS else {}
