"""The copy of a project that is drilled: the user's agents and tools with those of the drill, made anew each time."""

import runpy
from pathlib import Path

import pytest
import yaml

from pentad.cli.commands.operations.alarms.drill_project import AGENT, RATED_AGENT, TOOL, make_drill_project
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.errors import ToolUnavailable


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "mine"
    (root / "agents" / "clerk").mkdir(parents=True)
    (root / "agents" / "clerk" / "agent.yaml").write_text("description: Mine.\n")
    (root / "functions").mkdir(parents=True)  # all its tools are shipped ones
    (root / "cdk.json").write_text("{}")
    (root / "tools.yaml").write_text("{}")
    return root


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_copy_has_the_projects_agents_and_the_drills(root: Path) -> None:
    project = make_drill_project(root, root / ".pentad" / "drill")
    assert list_files(project) == {
        "cdk.json",
        "tools.yaml",
        "agents/clerk/agent.yaml",
        *(f"agents/{name}/{file}" for name in (AGENT, RATED_AGENT) for file in ("agent.yaml", "prompt.md")),
        f"functions/tools/{TOOL}.py",
    }
    assert list_files(root) - {f".pentad/drill/{name}" for name in list_files(project)} == {
        "cdk.json",
        "tools.yaml",
        "agents/clerk/agent.yaml",
    }


def test_what_is_gone_from_the_project_is_gone_from_the_copy_and_what_was_synthesized_stays(root: Path) -> None:
    project = make_drill_project(root, root / ".pentad" / "drill")
    (project / "cdk.out").mkdir()
    (project / "cdk.out" / "manifest.json").write_text("{}")
    (root / "agents" / "clerk" / "agent.yaml").unlink()
    (root / "tools.yaml").unlink()
    make_drill_project(root, project)
    assert "cdk.out/manifest.json" in list_files(project)
    assert {"tools.yaml", "agents/clerk/agent.yaml"}.isdisjoint(list_files(project))


def test_what_is_built_is_shared(root: Path) -> None:
    project = make_drill_project(root, root / ".pentad" / "drill")
    (project / "build" / "layer-1").mkdir()
    assert (root / "build" / "layer-1").is_dir()


def test_the_drills_agents_are_agents_and_one_rates_its_turns(root: Path) -> None:
    project = make_drill_project(root, root / ".pentad" / "drill")
    found = {}
    for name in (AGENT, RATED_AGENT):
        settings = yaml.safe_load((project / "agents" / name / "agent.yaml").read_text())
        found[name] = AgentSpec.model_validate({"name": name, "prompt": "x", **settings})
    assert found[AGENT].tools == (TOOL,)
    rated = found[RATED_AGENT].confidence
    assert rated is not None and rated.self_report


def test_the_drills_tool_fails_where_it_is_told_to(root: Path) -> None:
    project = make_drill_project(root, root / ".pentad" / "drill")
    probe = runpy.run_path(str(project / "functions" / "tools" / f"{TOOL}.py"))[TOOL]
    assert probe(expression="1 + 2") == "1 + 2"
    with pytest.raises(ToolUnavailable):
        probe(expression="1 + 2", fail=True)
