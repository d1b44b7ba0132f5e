"""Fixtures of the stack: the shared twin, a user's own project on a twin of its own, tenants that no other test has."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from tests.twin import keeper
from tests.twin.stack import own_project
from tests.twin.stack.world import Stack, Tenant


@pytest.fixture(scope="session")
def stack(shared_twin: dict[str, Any]) -> Iterator[Stack]:
    """The stack on the twin that all workers share."""
    with Stack(shared_twin) as found:
        yield found


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """A new tenant."""
    return stack.tenant()


@dataclass(frozen=True)
class OwnProject:
    """A user's project, and the stack on its twin."""

    folder: Path
    stack: Stack


@pytest.fixture(scope="session")
def own(root: Path, assembly_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnProject]:
    """A project with an agent and tools of its own, on a twin of its own: for what disturbs a twin, too.

    Tests that take it are of one xdist group, so that there is one of it.
    """
    enable_socket()
    folder = tmp_path_factory.mktemp("project")
    assembly = own_project.make(root, folder)
    # Where the command line looks for the twin of a project.
    with keeper.running(assembly, folder / ".pentad") as facts, Stack(facts) as found:
        yield OwnProject(folder, found)
