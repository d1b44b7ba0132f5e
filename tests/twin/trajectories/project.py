"""A project with a domain of its own: this one's sources, and the agents and tools of a folder in place of its own."""

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import functions.tools
from pentad.tools.declare.declare import Tool
from tests.twin import copies


def make(root: Path, domain: Path, project: Path) -> Path:
    """Copy the project, put the domain in, synthesize, and return the assembly's folder.

    Args:
        root: this project.
        domain: a folder with ``agents/`` and ``functions/tools/``.
        project: where it is made.
    """
    copies.copy(root, project, without=("agents",))
    tools = project / "functions" / "tools"
    for path in tools.glob("[!_]*.py"):
        path.unlink()
    for path in (project / "infra" / "workflows").glob("[!_]*.py"):
        path.unlink()  # They name agents that are not here.
    shutil.copytree(domain / "agents", project / "agents", ignore=copies.SKIPPED)
    shutil.copytree(domain / "functions" / "tools", tools, ignore=copies.SKIPPED, dirs_exist_ok=True)
    return copies.synthesize(project)


def tools_of(domain: Path) -> dict[str, Tool[Any, Any]]:
    """Return the tools of a domain, to be called in this process."""
    folder = domain / "functions" / "tools"
    functions.tools.__path__.append(str(folder))  # where what tools share is imported from
    try:
        return {path.stem: _tool(path) for path in sorted(folder.glob("[!_]*.py"))}
    finally:
        functions.tools.__path__.remove(str(folder))


def _tool(path: Path) -> Tool[Any, Any]:
    spec = importlib.util.spec_from_file_location(f"domain_tools.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Registered, since the annotations of its models are looked up there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found: Tool[Any, Any] = getattr(module, path.stem)
    return found
