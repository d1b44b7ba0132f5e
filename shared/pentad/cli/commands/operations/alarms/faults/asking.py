"""What is asked of a twin while it has a fault, and when it has none any more."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from pentad.cli.client import ApiClient, ProblemError
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld, Use
from pentad.domain.ids import make_id

Json = dict[str, Any]
TENANT: Final = "drill"
POLL_SECONDS: Final = 0.2
QUEUE_SECONDS: Final = 60.0
_RUN_SECONDS: Final = 300.0
_RUN_POLL_SECONDS: Final = 1.0
"""Many runs are waited for at once, by a key that may not ask for them without end."""
_AT_ONCE: Final = 4
_OPEN = frozenset({"queued", "running"})


def ask(client: ApiClient, agent: str, message: str, **fields: Any) -> Json:
    """Return a run at its end, whatever that is, or when it waits for a human.

    Raises:
        TimeoutError: it does not come.
    """
    view = client.start_run(agent, message, session_id=None, key=None, wait=25, **fields)
    until = time.monotonic() + _RUN_SECONDS
    while view["status"] in _OPEN:
        if time.monotonic() > until:
            raise TimeoutError(f"the run '{view['run_id']}' has not ended within {_RUN_SECONDS:g} s")
        time.sleep(_RUN_POLL_SECONDS)
        view = client.call("GET", f"/v1/runs/{view['run_id']}")
    return view


def ask_many(
    world: FaultWorld, count: int, *, tenant_ids: Sequence[str] = (TENANT,), at_once: int = _AT_ONCE, more: str = ""
) -> list[Json]:
    """Ask so many different questions of tenants in turn, a few at once: no reply is kept from another one."""
    clients, word = [world.open_tenant(one) for one in tenant_ids], make_id("q", datetime.now(UTC))

    def ask_one(number: int) -> Json:
        return ask(clients[number % len(clients)], world.agent, f"What is {number} + {number}? ({word}{number}){more}")

    with ThreadPoolExecutor(at_once, "drill") as pool:
        return list(pool.map(ask_one, range(count)))


def ask_of(count: int, *, broken_tenant_ids: Sequence[str] = (TENANT,), at_once: int = _AT_ONCE, more: str = "") -> Use:
    """Return what asks so many questions, while the fault is there those of tenants that have it.

    Args:
        count: how many.
        broken_tenant_ids: who asks while the fault is there.
        at_once: how many are asked at once.
        more: is said behind each question.
    """

    def use(world: FaultWorld, broken: bool) -> None:
        ask_many(world, count, tenant_ids=broken_tenant_ids if broken else (TENANT,), at_once=at_once, more=more)

    return use


def ask_each(count: int) -> Use:
    """Return what asks each agent and workflow a question, and while the fault is there so many, all at once."""

    def use(world: FaultWorld, broken: bool) -> None:
        client, word = world.open_tenant(TENANT), make_id("q", datetime.now(UTC))
        names = [one["name"] for one in client.call("GET", "/v1/agents")["items"]]
        asked = names * (count if broken else 1)

        def ask_one(number: int) -> Json:
            return ask(client, asked[number], f"What is {number} + {number}? ({word}{number})")

        with ThreadPoolExecutor(len(asked) if broken else _AT_ONCE, "drill") as pool:
            list(pool.map(ask_one, range(len(asked))))

    return use


def ingest(world: FaultWorld) -> None:
    """Give the tenant a document: where there is none, nothing is searched for.

    Raises:
        TimeoutError: it is not indexed in time.
    """
    client = world.open_tenant(TENANT)
    client.upload_document("drill.md", "text/markdown", b"# Sums\n\nTwo and two are four.")
    until = time.monotonic() + QUEUE_SECONDS
    while time.monotonic() < until:
        with suppress(ProblemError):
            if client.call("GET", "/v1/documents/drill.md")["status"] == "indexed":
                return
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"the drill's document was not indexed within {QUEUE_SECONDS:g} s")
