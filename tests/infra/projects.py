"""Projects like this one with less or more in them, synthesized in the process of a test."""

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from aws_cdk import App
from pytest_socket import enable_socket

from infra.app import build_stacks
from pentad.tools.declare.discovery import AnyTool, discover

Json = dict[str, Any]
_SHARED = ("functions", "shared", "layers", "requirements", "build")


def make_project(
    root: Path, folder: Path, *, tools: Collection[str], agents: Collection[str], workflows: Collection[str]
) -> Path:
    """Make a project that shares the code of the one at `root`, with some of its agents and workflows.

    Args:
        root: this project.
        folder: where it is made.
        tools: those that agents keep.
        agents: those there are.
        workflows: names of files in infra/workflows, without suffix.
    """
    for name in _SHARED:
        (folder / name).symlink_to(root / name)
    for agent in agents:
        shutil.copytree(root / "agents" / agent, folder / "agents" / agent)
        settings = folder / "agents" / agent / "agent.yaml"
        content = yaml.safe_load(settings.read_text(encoding="utf-8"))
        content["tools"] = [tool for tool in content.get("tools", ()) if tool in tools]
        settings.write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / "infra" / "workflows").mkdir(parents=True)
    for workflow in workflows:
        shutil.copy(root / "infra" / "workflows" / f"{workflow}.py", folder / "infra" / "workflows")
    return folder


def synthesize(
    root: Path, project: Path, out: Path, tools: Mapping[str, AnyTool] | None = None, **context: Any
) -> dict[str, Json]:
    """Return the templates of a project by their files' names, without the checks.

    Args:
        root: this project, whose cdk.json applies.
        project: the project.
        out: the assembly's folder.
        tools: all of this project's where None.
        context: further values of the CDK's context.
    """
    enable_socket()  # Node is spoken to by a pipe, and asyncio makes a pair of sockets
    own = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context={**own, "pentad:checks": "off", **context}, outdir=str(out))
    build_stacks(app, project, discover() if tools is None else tools)
    folder = Path(app.synth().directory)
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in folder.glob("*.template.json")
    }
