"""The order desk in the project of tests/twin/stack, and domains in projects and on twins of their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from pentad.testing.stack import keeper
from pentad.tools.declare.declare import Tool
from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Stack
from tests.twin.trajectories import project


@dataclass(frozen=True)
class Domain:
    """A domain's tools, and the stack that they are deployed in."""

    stack: Stack
    tools: dict[str, Tool[Any, Any]]


@pytest.fixture(scope="session")
def desk(own: OwnProject) -> Domain:
    """The order desk. Scripts are the whole twin's: tests that take it are of the xdist group of its project."""
    return Domain(own.stack, project.tools_of(Path(__file__).parent / "desk"))


def running(root: Path, domain: Path, folder: Path) -> Iterator[Domain]:
    """Run a domain's project on a twin of its own; tests that take it are of one xdist group."""
    enable_socket()
    assembly = project.make(root, domain, folder)
    with keeper.running(assembly, folder / ".pentad") as facts, Stack(facts) as stack:
        yield Domain(stack, project.tools_of(domain))
