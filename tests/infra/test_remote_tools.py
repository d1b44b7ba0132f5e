"""Remote servers as they are deployed: one function each, which reaches its host and reads its secret alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from infra.components.build import Build
from infra.config import STAGES
from infra.stacks.state import StateStack
from infra.tools.library import choose_tools
from infra.tools.tool import ToolFunction
from infra.tools.tools_file import read_tools_file
from pentad.domain.errors import ConfigurationError
from pentad.runtime.settings import ToolSettings
from pentad.tools.declare.declare import tool
from pentad.tools.mcp.lock_file import LockedServer, McpLock, format_lock
from pentad.tools.mcp.messages import MODERN
from pentad.tools.mcp.pinning import pin_tool
from pentad.tools.runtime.function_names import find_group, name_function
from tests.infra.conftest import joined

Json = dict[str, Any]
URL = "https://mcp.example.com/mcp"
FILE = f"""servers:
  calc:
    url: {URL}
    auth: {{kind: bearer, secret: calc}}
    tools: [add, sub]
"""


def _make_tool(name: str) -> Json:
    return {"name": name, "description": name, "inputSchema": {"type": "object", "properties": {}}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that uses two tools of one server, of which tenants have their own credentials."""
    tools = tuple(pin_tool("calc", _make_tool(name)) for name in ("add", "sub"))
    lock = McpLock(servers={"calc": LockedServer(url=URL, revision=MODERN, tools=tools)})
    (tmp_path / "mcp.yaml").write_text(FILE)
    (tmp_path / "mcp.lock.json").write_text(format_lock(lock))
    (tmp_path / "tools.yaml").write_text("secrets:\n  calc: {tenants: [acme]}\n")
    return tmp_path


def test_the_function_knows_its_server_and_where_its_secret_is(
    root: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = choose_tools(project)
    assert {"calc__add", "calc__sub"} <= set(tools)
    configured = read_tools_file(project, tools, prefix="pentad-dev")
    context = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"]
    app, stage = App(context=context), STAGES["dev"]
    stack = Stack(app, "agent")
    state = StateStack(app, "state", stage=stage, tool_secrets=configured.made)
    build = Build(stage=stage, stores=state.stores, root=root, layers=())
    ToolFunction(stack, "tool", build=build, tool=tools["calc__add"], gateway=None, configured=configured)
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    [function] = [one["Properties"] for one in resources if one["Type"] == "AWS::Lambda::Function"]
    assert function["FunctionName"] == "pentad-dev-tool-mcp-calc"
    for name, value in function["Environment"]["Variables"].items():
        monkeypatch.setenv(name, joined(value))
    settings = ToolSettings()
    assert (settings.mcp_server, settings.tool_module) == ("calc", "functions.mcp.call")
    assert set(json.loads(function["Environment"]["Variables"]["TOOL_SECRETS"])) == {"calc"}
    granted = [one for one in resources if one["Type"] == "AWS::IAM::Policy"]
    assert "secretsmanager:GetSecretValue" in json.dumps(granted)


@pytest.mark.parametrize("grouped", [True, False])
def test_all_tools_of_a_server_have_one_function_in_one_group(grouped: bool) -> None:
    names = ["calc__add", "calc__sub_258b5d", "other__add", "add"]
    made = [name_function("p-tool-", name, grouped=grouped) for name in names]
    assert made[0] == made[1]
    assert len(set(made)) == 3
    assert find_group(names[0]) == find_group(names[1])


def test_what_was_not_reviewed_is_refused_at_synth(project: Path) -> None:
    (project / "mcp.lock.json").unlink()
    with pytest.raises(ConfigurationError, match="has not been reviewed") as found:
        choose_tools(project)
    assert "pentad mcp lock calc" in (found.value.fix or "")


def test_no_other_tool_has_a_name_like_a_remote_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def calc__mul() -> str:
        """Doc."""
        return ""

    monkeypatch.setattr("infra.tools.library.discover", lambda: {"calc__mul": tool(effects="none")(calc__mul)})
    with pytest.raises(ConfigurationError, match="two underscores"):
        choose_tools(project)
