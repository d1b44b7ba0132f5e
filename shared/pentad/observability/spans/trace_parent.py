"""Find a span's place in its trace: read X-Ray's header into the identifiers of OpenTelemetry."""

import re
import secrets
from dataclasses import dataclass

_ROOT = re.compile(r"(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})", re.IGNORECASE)
_PARENT = re.compile(r"(?:^|;)\s*Parent=([0-9a-f]{16})", re.IGNORECASE)


@dataclass(frozen=True)
class TraceParent:
    """The trace an invocation belongs to and the span that caused it.

    Args:
        trace_id: 32 hex digits.
        span_id: 16 hex digits, or None where there is none.
    """

    trace_id: str
    span_id: str | None

    @classmethod
    def from_header(cls, header: str | None) -> "TraceParent":
        """Return the parent named by ``_X_AMZN_TRACE_ID``, or a new trace where the header is missing or unreadable.

        X-Ray's ``Root=1-5759e988-bd862e3fe1be46a994272793`` is the OpenTelemetry trace id without its dashes.
        """
        root = _ROOT.search(header or "")
        if root is None:
            return cls(secrets.token_hex(16), None)
        parent = _PARENT.search(header or "")
        return cls((root[1] + root[2]).lower(), parent[1].lower() if parent else None)
