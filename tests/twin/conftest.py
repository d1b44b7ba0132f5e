"""One twin for all tests of a session, whichever worker asks first, and one of a user's own project."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from pytest_socket import enable_socket

from pentad.aws.table import Table
from tests.twin import keeper
from tests.twin.stack import own_project
from tests.twin.stack.world import Stack
from twin.running import state_file as twin_file

_LOCK_SECONDS = 300


@pytest.fixture(scope="session")
def shared_twin(
    assembly_dir: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[dict[str, Any]]:
    """The facts of the twin that all workers share: started by the first of them, ended by the last.

    Its faults, scripts and processes are everybody's: a test keeps to a tenant of its own, and to faults that name a
    text of its own. What can't, takes `keeper.running`.
    """
    enable_socket()
    alone = worker_id == "master"
    base = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    users = base / "twin-users"
    users.mkdir(exist_ok=True)
    mine = users / worker_id
    with FileLock(base / "twin.lock", timeout=_LOCK_SECONDS):
        facts = _of_running(base / "twin")
        if facts is None:
            # Workers come and go; what ends last is the process that started them.
            facts = keeper.start(assembly_dir, base / "twin", os.getpid() if alone else os.getppid())
            hold_circuits(facts)
        mine.touch()
    yield facts
    with FileLock(base / "twin.lock", timeout=_LOCK_SECONDS):
        mine.unlink()
        if not any(users.iterdir()):
            keeper.stop(facts)


@dataclass(frozen=True)
class OwnProject:
    """A user's project, and the stack on its twin."""

    folder: Path
    stack: Stack

    @property
    def assembly(self) -> Path:
        """What was synthesized of it."""
        return self.folder / "cdk.out"


@pytest.fixture(scope="session")
def own(root: Path, assembly_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnProject]:
    """A project with agents and tools of its own, on a twin of its own: for what disturbs a twin, too.

    Tests that take it are of the xdist group ``stack-own``, so that there is one of it and scripts are one test's.
    """
    enable_socket()
    folder = tmp_path_factory.mktemp("project")
    assembly = own_project.make(root, folder)
    # Where the command line looks for the twin of a project.
    with keeper.running(assembly, folder / ".pentad") as facts, Stack(facts) as found:
        yield OwnProject(folder, found)


def hold_circuits(facts: dict[str, Any]) -> None:
    """Hold every circuit closed: the faults of one test must not open a circuit for the others."""
    from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
    from pentad.models.breaker.shared_breaker import SharedBreaker
    from pentad.models.catalog.catalog import load

    with Stack(facts) as stack:
        table = Table(stack.aws("dynamodb"), stack.outputs["TransientTable"])
        breaker = SharedBreaker(DynamoCircuits(table))
        for model in load().models.values():
            breaker.force(f"{model.provider}/{model.name}", "closed")


def _of_running(state: Path) -> dict[str, Any] | None:
    facts = twin_file.read(state)
    return facts if facts is not None and facts.get("ready") else None
