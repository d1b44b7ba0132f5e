"""The project that is drilled: a copy of the user's, with two agents and a tool that are there for faults.

An agent that rates its turns is needed for answers that are surer than right, and a tool that fails for one that is out
of order; a project has neither of necessity. The models' stand-in calls a tool that takes an expression where a sum is
asked for, so a run of the first agent has two turns. The copy is kept, so that its assembly is made anew for changes
only.
"""

import shutil
from pathlib import Path
from typing import Final

from pentad.cli.synth import SOURCES

AGENT: Final = "drill"
RATED_AGENT: Final = "drill-rated"
TOOL: Final = "drill_probe"
_SKIPPED = shutil.ignore_patterns("__pycache__", ".*")
_KNOWN: Final = f"""description: Is asked by pentad drill alarms.
task: reason
tools: [{TOOL}]
knowledge: {{top_k: 6}}
"""
_RATED: Final = """description: Is asked by pentad drill alarms, and rates its answers.
task: reason
knowledge: {top_k: 0}
confidence: {self_report: true}
"""
_PROMPT: Final = "You answer briefly.\n"
_PROBE: Final = '''"""The tool that a drill lets fail."""

from typing import Annotated

from pydantic import Field

from pentad.domain.errors import ToolUnavailable
from pentad.tools.declare import tool


@tool(effects="none", timeout_seconds=10)
def drill_probe(
    expression: Annotated[str, Field(max_length=200, description="a sum")],
    fail: Annotated[bool, Field(description="whether it fails")] = False,
) -> str:
    """Fail, or say the sum."""
    if fail:
        raise ToolUnavailable("it was asked to fail")
    return expression
'''


def make_drill_project(root: Path, project: Path) -> Path:
    """Make the copy anew and return its folder.

    What was synthesized of the one before stays, and is used again where nothing has changed.

    Args:
        root: the user's project.
        project: the copy's folder, which is nobody else's.
    """
    project.mkdir(parents=True, exist_ok=True)
    for name in (*SOURCES, "secrets.local.json"):
        source, copied = root / name, project / name
        if copied.is_dir():
            shutil.rmtree(copied)
        if source.is_dir():
            shutil.copytree(source, copied, ignore=_SKIPPED)
        elif source.is_file():
            shutil.copy2(source, copied)
        else:
            copied.unlink(missing_ok=True)
    _share_builds(root, project)
    for agent, settings in ((AGENT, _KNOWN), (RATED_AGENT, _RATED)):
        folder = project / "agents" / agent
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "agent.yaml").write_text(settings, encoding="utf-8")
        (folder / "prompt.md").write_text(_PROMPT, encoding="utf-8")
    tools = project / "functions" / "tools"
    tools.mkdir(parents=True, exist_ok=True)  # a project whose tools are all shipped ones has none
    (tools / f"{TOOL}.py").write_text(_PROBE, encoding="utf-8")
    return project


def _share_builds(root: Path, project: Path) -> None:
    """Use what is built of the project: the name of each says of what it is made."""
    builds = project / "build"
    if not builds.is_symlink():
        (root / "build").mkdir(exist_ok=True)
        builds.symlink_to(root / "build", target_is_directory=True)
