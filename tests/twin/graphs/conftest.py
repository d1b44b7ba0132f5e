"""The example in examples/langgraph, put into a project as docs/orchestration/langgraph.md says, on its own twin."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from layers import build
from tests.twin import copies, keeper
from tests.twin.stack.world import Stack


@dataclass(frozen=True)
class GraphProject:
    """The project's assembly, and the stack on its twin."""

    assembly: Path
    stack: Stack


def make(root: Path, project: Path) -> Path:
    """Copy the project, add the example, synthesize, and return the assembly's folder."""
    # Built where the next session finds them again.
    build.dependencies(root)
    build.graphs(root)
    copies.copy(root, project)
    shutil.copytree(root / "examples" / "langgraph", project, ignore=copies.SKIPPED, dirs_exist_ok=True)
    return copies.synthesize(project)


@pytest.fixture(scope="session")
def graphs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphProject]:
    """The project on its twin."""
    pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")
    enable_socket()
    folder = tmp_path_factory.mktemp("graphs")
    assembly = make(root, folder)
    with keeper.running(assembly, folder / ".pentad") as facts, Stack(facts) as found:
        yield GraphProject(assembly, found)


def template(assembly: Path) -> dict[str, Any]:
    """Return the resources of the agent stack."""
    found: dict[str, Any] = json.loads((assembly / "pentad-dev-agent.template.json").read_text())["Resources"]
    return found
