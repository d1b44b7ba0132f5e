"""A project with a domain of its own: this one's sources, and the agents and tools of a folder in place of its own."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from pentad.tools.declare import Tool

SYNTH_SECONDS = 300
_SOURCES = ("infra", "layers", "requirements", "shared", "functions")


def make(root: Path, domain: Path, project: Path) -> Path:
    """Copy the project, put the domain in, synthesize, and return the assembly's folder.

    Args:
        root: this project.
        domain: a folder with ``agents/`` and ``functions/tools/``.
        project: where it is made.
    """
    skipped = shutil.ignore_patterns("__pycache__", ".*")
    for name in _SOURCES:
        shutil.copytree(root / name, project / name, ignore=skipped)
    shutil.copy2(root / "cdk.json", project)
    # What is built is never changed, so the copy may share it; what begins with a dot is being built.
    for path in (root / "build").glob("[!.]*"):
        shutil.copytree(path, project / "build" / path.name, copy_function=os.link)
    tools = project / "functions" / "tools"
    for path in tools.glob("[!_]*.py"):
        path.unlink()
    for path in (project / "infra" / "workflows").glob("[!_]*.py"):
        path.unlink()  # They name agents that are not here.
    shutil.copytree(domain / "agents", project / "agents", ignore=skipped)
    shutil.copytree(domain / "functions" / "tools", tools, ignore=skipped, dirs_exist_ok=True)
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


def tools_of(domain: Path) -> dict[str, Tool[Any, Any]]:
    """Return the tools of a domain, to be called in this process."""
    found: dict[str, Tool[Any, Any]] = {}
    for path in sorted((domain / "functions" / "tools").glob("[!_]*.py")):
        spec = importlib.util.spec_from_file_location(f"domain_tools.{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Registered, since the annotations of its models are looked up there.
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        found[path.stem] = getattr(module, path.stem)
    return found
