"""The name of a request to a provider: OpenAI keeps it beside its own id, servers like it may log it, others ignore it.

It tells which requests belong together without telling whose they are: each part is a digest. The twin's simulator
reads it as well, so that a test's script and faults reach one tenant, agent, session or run alone.
"""

import hashlib
import uuid
from typing import Literal

from pentad.domain.models import CallContext
from pentad.domain.tracing import HEADER as TRACEPARENT
from pentad.domain.tracing import read_traceparent

HEADER = "x-client-request-id"
Part = Literal["tenant", "agent", "session", "run"]
_CHARACTERS = 12
_NONE = "0" * _CHARACTERS


def build_request_headers(context: CallContext) -> dict[str, str]:
    """Return the header with a name that no other request has, of ASCII characters and far below 512 of them.

    Another names the span that the request belongs to (W3C Trace Context), where one is open.

    Args:
        context: on whose behalf the request is made.
    """
    parts = [
        name_part("tenant", context.tenant_id, context.tenant_id),
        name_part("agent", context.tenant_id, context.agent),
        name_part("session", context.tenant_id, context.session_id),
        name_part("run", context.tenant_id, context.run_id),
        f"step{context.step or 0}",
        uuid.uuid4().hex[:_CHARACTERS],
    ]
    traceparent = read_traceparent()
    return {HEADER: ".".join(parts)} | ({} if traceparent is None else {TRACEPARENT: traceparent})


def name_part(part: Part, tenant_id: str, value: str | None) -> str:
    """Return what stands for a tenant, agent, session or run in the names of its requests: 14 characters."""
    if not value:
        return f"{part[0]}-{_NONE}"
    digest = hashlib.sha256(f"{part}\0{tenant_id}\0{value}".encode()).hexdigest()
    return f"{part[0]}-{digest[:_CHARACTERS]}"
