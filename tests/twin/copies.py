"""Copies of this project for tests: its sources, to which a test adds what a user would, and their assembly."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SYNTH_SECONDS = 300
SOURCES = ("agents", "functions", "infra", "layers", "requirements", "shared")
SKIPPED = shutil.ignore_patterns("__pycache__", ".*")


def copy(root: Path, project: Path, *, without: tuple[str, ...] = ()) -> None:
    """Copy the sources of the project at `root`, with what is built of them.

    Args:
        root: this project.
        project: where the copy is made.
        without: top folders that are left out.
    """
    for name in SOURCES:
        if name not in without:
            shutil.copytree(root / name, project / name, ignore=SKIPPED)
    shutil.copy2(root / "cdk.json", project)
    # What is built is never changed, so the copy may share it; what begins with a dot is being built, and files are
    # reports of an earlier run of the tests.
    for path in (root / "build").glob("[!.]*/"):
        shutil.copytree(path, project / "build" / path.name, copy_function=os.link)


def synthesize(project: Path, **context: Any) -> Path:
    """Synthesize a copy without the checks, which `make check` makes, and return the assembly's folder."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(project), str(project / "shared"))),
        "CDK_OUTDIR": str(project / "cdk.out"),
        "CDK_VALIDATION": "false",
        "CDK_CONTEXT_JSON": json.dumps({"pentad:checks": "off"} | context),
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
