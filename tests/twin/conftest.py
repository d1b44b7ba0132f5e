"""One twin for all tests of a session, whichever worker asks first, and one of a user's own project."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from pentad.testing.stack import keeper
from tests.twin.stack import own_project
from tests.twin.stack.world import Stack


@pytest.fixture(scope="session")
def shared_twin(pentad_twin: Stack) -> dict[str, Any]:
    """The facts of the twin that all workers share: started by the first of them, ended by the last.

    Its faults, scripts and processes are everybody's: a test keeps to a tenant of its own, and to faults and scripts
    for its tenant or for a text of its own. What can't, takes `keeper.running`.
    """
    return pentad_twin.facts


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
