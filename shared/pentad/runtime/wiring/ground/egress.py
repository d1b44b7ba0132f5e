"""The HTTP client of a tool's function."""

import time
from collections.abc import Sequence
from functools import cache

from pentad.tools.egress.adapters.resolver_system import SystemResolver
from pentad.tools.egress.adapters.wire_httpcore import HttpcoreWire
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.client import EgressClient
from pentad.tools.outside.ports import ToolSecrets


def make_http_client(egress: Sequence[str], deadline: float, secrets: ToolSecrets | None) -> EgressClient:
    """Return the client of one call.

    Args:
        egress: the hosts that the tool declares, without those of the settings.
        deadline: ``time.time()`` after which nobody waits for the call.
        secrets: what reads the tool's secrets, of which those that are used are read anew once a server refused one.
    """
    return EgressClient(
        Allowlist(egress),
        resolver=SystemResolver(),
        wire=_make_wire(),
        remaining_seconds=lambda: deadline - time.time(),
        on_refused=secrets.forget_used if secrets is not None else lambda: None,
    )


@cache
def _make_wire() -> HttpcoreWire:
    return HttpcoreWire()
