"""The example in examples/langgraph, put into a project as docs/orchestration/langgraph.md says, on its own twin."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from layers import build
from tests.twin import keeper
from tests.twin.stack.world import Stack

SYNTH_SECONDS = 300
_COPIED = ("agents", "functions", "infra", "layers", "requirements", "shared")


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
    skipped = shutil.ignore_patterns("__pycache__", ".*")
    for name in _COPIED:
        shutil.copytree(root / name, project / name, ignore=skipped)
    shutil.copytree(root / "examples" / "langgraph", project, ignore=skipped, dirs_exist_ok=True)
    shutil.copy2(root / "cdk.json", project)
    for path in (root / "build").glob("[!.]*"):
        shutil.copytree(path, project / "build" / path.name, copy_function=os.link)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(project), str(project / "shared"))),
        "CDK_OUTDIR": str(project / "cdk.out"),
        "CDK_VALIDATION": "false",
        "CDK_CONTEXT_JSON": json.dumps({"pentad:checks": "off"}),
    }
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SYNTH_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return project / "cdk.out"


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
