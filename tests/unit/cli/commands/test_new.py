"""`pentad new agent`: its files are an agent and a test, and nothing that is there is changed."""

import ast
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pentad.cli.commands import new
from pentad.cli.console import CommandError
from pentad.cli.main import app
from pentad.domain.declarations.agents import AgentSpec


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one tool."""
    for folder in ("infra/workflows", "functions/tools", "agents"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "cdk.json").write_text("{}")
    (tmp_path / "functions/tools/refund.py").write_text("")
    (tmp_path / "functions/tools/_shared.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["new", "agent", *arguments])
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize("description", ["Looks after orders.", 'Says: "no", {never} #yes', "Grüßt\nzweimal"])
def test_the_files_are_an_agent_and_a_test_of_it(project: Path, description: str) -> None:
    assert write("order-desk", "-d", description, "-t", "refund")[0] == 0
    folder = project / "agents" / "order-desk"
    settings = yaml.safe_load((folder / "agent.yaml").read_text())
    spec = AgentSpec(name="order-desk", prompt=(folder / "prompt.md").read_text(), **settings)
    assert (spec.description, spec.tools) == (description, ("refund",))
    assert description in spec.prompt
    written = ast.parse((project / "tests/agents/test_order_desk.py").read_text())
    assert [node.name for node in written.body if isinstance(node, ast.FunctionDef)] == ["test_order_desk_answers"]


@pytest.mark.parametrize("name", ["Order", "order_desk", "9lives", "", "../up", "a" * 41, "order\n"])
def test_a_name_that_is_none_is_refused_with_what_is_one(project: Path, name: str) -> None:
    code, said = write(name)
    assert (code, "use small letters" in said) == (2, True)
    assert not list((project / "agents").iterdir())


@pytest.mark.parametrize(
    "taken", ["agents/desk/prompt.md", "tests/agents/test_desk.py", "infra/workflows/desk.py"], ids=lambda path: path
)
def test_nothing_that_is_there_is_changed(project: Path, taken: str) -> None:
    (project / taken).parent.mkdir(parents=True, exist_ok=True)
    (project / taken).write_text("mine")
    code, said = write("desk")
    assert (code, taken in said) == (2, True)
    assert (project / taken).read_text() == "mine"
    assert not (project / "agents/desk/agent.yaml").exists()


@pytest.mark.parametrize("tool", ["refunds", "_shared"])
def test_a_tool_that_does_not_exist_is_named_with_those_that_do(project: Path, tool: str) -> None:
    with pytest.raises(CommandError, match=f"no tool '{tool}' .*there are: refund"):
        new.build_agent_files(project, "desk", "Helps.", (tool,))
