"""The order desk: a project with a domain of its own, on a twin of its own, since scripts are the whole twin's."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from pentad.tools.declare import Tool
from tests.twin import keeper
from tests.twin.stack.world import Stack
from tests.twin.trajectories import project


@dataclass(frozen=True)
class Domain:
    """A domain's tools, and the stack that they are deployed in."""

    stack: Stack
    tools: dict[str, Tool[Any, Any]]


@pytest.fixture(scope="session")
def desk(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    """The order desk. Tests that take it are of one xdist group, so that there is one of it."""
    yield from running(root, Path(__file__).parent / "desk", tmp_path_factory.mktemp("desk"))


def running(root: Path, domain: Path, folder: Path) -> Iterator[Domain]:
    """Run a domain's project on a twin."""
    enable_socket()
    assembly = project.make(root, domain, folder)
    with keeper.running(assembly, folder / ".pentad") as facts, Stack(facts) as stack:
        yield Domain(stack, project.tools_of(domain))
