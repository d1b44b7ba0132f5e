"""The HTTP client of a tool's function, and what holds its other connections to the same hosts."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from pentad.aws.clients import tell_requests
from pentad.observability.ports import Telemetry
from pentad.runtime.settings import list_lambda_endpoints
from pentad.tools.egress.adapters.resolver_system import SystemResolver
from pentad.tools.egress.adapters.socket_guard import hold_caller, hold_process
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.client import EgressClient
from pentad.tools.egress.connections import ConnectionRules, OwnEndpoints
from pentad.tools.egress.ports import Wire
from pentad.tools.outside.ports import ToolSecrets

_rules: dict[tuple[str, tuple[str, ...]], ConnectionRules] = {}
"""By tool, of which a process has one, or those of one remote server or of a graph: they remember which address is
whose."""


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
def _make_wire() -> Wire:
    # httpcore takes 45 ms to import, which a tool that only declares egress=[] needs not wait for.
    from pentad.tools.egress.adapters.wire_httpcore import HttpcoreWire

    return HttpcoreWire()


def hold_to_egress(tool: str, egress: tuple[str, ...], telemetry: Telemetry, upload: str | None) -> None:
    """Hold every connection that Python opens in this process to a tool's hosts, from now on.

    The clients of AWS that are the stack's own go on: before each request they say where it leads.

    Args:
        tool: its name.
        egress: the hosts that it declares, without those of the settings.
        telemetry: logs what is refused.
        upload: the signed address that a result of this call may be put to.
    """
    if upload is not None:
        _make_own_endpoints().add(upload)
    hold_process(_find_rules(tool, egress, telemetry))


@contextmanager
def hold_inner_tool(
    deadline: float, telemetry: Telemetry, tool: str, egress: tuple[str, ...]
) -> Iterator[EgressClient | None]:
    """Hold a tool that runs inside a graph's process to its own hosts, and give it a client for these.

    Args:
        deadline: see `make_http_client`.
        telemetry: logs what is refused.
        tool: its name.
        egress: the hosts that it declares; the graph declares them too.
    """
    with hold_caller(_find_rules(tool, egress, telemetry)):
        yield make_http_client(egress, deadline, None) if egress else None


def _find_rules(tool: str, egress: tuple[str, ...], telemetry: Telemetry) -> ConnectionRules:
    rules = _rules.get((tool, egress))
    if rules is None:

        def tell(place: str) -> None:
            telemetry.log_event("egress.refused", level="WARNING", tool=tool, place=place)

        rules = _rules[tool, egress] = ConnectionRules(tool, Allowlist(egress), _make_own_endpoints(), tell)
    return rules


@cache
def _make_own_endpoints() -> OwnEndpoints:
    own = OwnEndpoints()
    for url in list_lambda_endpoints():
        own.add(url)
    tell_requests(own.add)
    return own
