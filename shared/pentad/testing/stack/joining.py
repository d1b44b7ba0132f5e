"""One twin for all processes of a test session: the first that asks starts it, the last that is done ends it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from pentad.aws.table import Table
from pentad.cli.commands.twin.options import read_overlay
from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.catalog.catalog import load
from pentad.testing.stack import keeper
from pentad.testing.stack.world import Json, Stack
from twin.deploy.assembly import read_assembly
from twin.running import state_file

_LOCK_SECONDS = 600
_TWIN, _USERS, _LOCK = "twin", "twin-users", "twin.lock"


@contextmanager
def join_twin(assembly: Path, base: Path, worker: str | None) -> Iterator[Json]:
    """Give the facts of the session's twin (`twin.running.state_file`) for the length of a with block.

    Args:
        assembly: what it runs, if it is not running yet.
        base: a folder that all processes of the session share, and nobody else.
        worker: this process's name among pytest-xdist's, or None where it is the only one.

    Raises:
        TwinNotStarted: it did not come up; the message is what it wrote.
    """
    users = base / _USERS
    users.mkdir(parents=True, exist_ok=True)
    mine = users / (worker or "alone")
    with FileLock(base / _LOCK, timeout=_LOCK_SECONDS):
        facts = _read_running(base / _TWIN)
        if facts is None:
            # Workers come and go; what ends last is the process that started them.
            facts = keeper.start(assembly, base / _TWIN, os.getppid() if worker else os.getpid())
            hold_circuits(facts)
        mine.touch()
    try:
        yield facts
    finally:
        with FileLock(base / _LOCK, timeout=_LOCK_SECONDS):
            mine.unlink()
            if not any(users.iterdir()):
                keeper.stop(facts)


def hold_circuits(facts: Json) -> None:
    """Hold every circuit closed: the faults of one test must not open a circuit for the others."""
    overlay = read_overlay(read_assembly(Path(facts["assembly"])))
    with Stack(facts) as stack:
        table = Table(stack.aws("dynamodb"), stack.outputs["TransientTable"])
        breaker = SharedBreaker(DynamoCircuits(table))
        for model in load(overlay=overlay).models.values():
            breaker.force(f"{model.provider}/{model.name}", "closed")


def _read_running(state: Path) -> dict[str, Any] | None:
    facts = state_file.read(state)
    return facts if facts is not None and facts.get("ready") else None
