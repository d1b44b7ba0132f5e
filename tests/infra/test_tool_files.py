"""What a session of tools' data reaches of the files: the folders that its tool declares, of its own tenant."""

import json
from pathlib import Path

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.components.build import Build
from infra.config import STAGES
from infra.stacks.state import StateStack
from infra.tools.data import ROOT, ToolData, list_data
from infra.tools.tool import ToolFunction
from infra.tools.tools_file import read_tools_file
from pentad.tools.declare import Grant, ToolContext
from pentad.tools.declare.declare import tool
from pentad.tools.files.adapters import files_s3
from tests.infra.conftest import Json, joined


def calculator(context: ToolContext) -> str:
    """Doc."""
    return ""


def date_time(context: ToolContext) -> str:
    """Doc."""
    return ""


calculator.__module__, date_time.__module__ = "functions.tools.calculator", "functions.tools.date_time"
TOOLS = {
    "calculator": tool(effects="none", permissions=[Grant("files", "read", keys="")])(calculator),
    "date_time": tool(effects="internal", permissions=[Grant("files", "readwrite", keys="reports/")])(date_time),
}


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The resources of a stack with two tools' functions and data."""
    folder = tmp_path_factory.mktemp("files")
    configured = read_tools_file(folder, TOOLS, prefix="pentad-dev")
    app = App(outdir=str(folder / "out"), context=json.loads((root / "cdk.json").read_text())["context"])
    stage = STAGES["dev"]
    state = StateStack(app, "state", stage=stage)
    stack = Stack(app, "agent")
    build = Build(stage=stage, stores=state.stores, root=root, layers=())
    for name, one in TOOLS.items():
        ToolFunction(stack, name, build=build, tool=one, gateway=None, configured=configured)
        assert list_data(one, configured) == ["files"]
    runner = iam.Role(stack, "runner", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    ToolData(stack, "data", build=build, tools=TOOLS, runner=runner, configured=configured)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # A finding of cdk-nag without a recorded reason ends it.
    found: Json = Template.from_stack(stack).to_json()["Resources"]
    return found


def test_a_session_reaches_its_tools_folder_of_its_tenant(made: Json) -> None:
    statements = [
        one
        for name, body in made.items()
        if body["Type"] == "AWS::IAM::Policy" and name.startswith("data")
        for one in body["Properties"]["PolicyDocument"]["Statement"]
    ]
    found = {}
    for one in statements:
        actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        if actions[0].startswith("s3:"):
            [tool_name] = one["Condition"]["StringEquals"]["aws:PrincipalTag/tool"]
            place = joined(one["Resource"]).partition("/")[2]
            found[tool_name, frozenset(actions)] = place or one["Condition"]["StringLike"]["s3:prefix"]
    tenant = f"{ROOT}/${{aws:PrincipalTag/tenant}}/"
    read = {"s3:GetObject", "s3:GetObjectVersion"}
    assert found == {
        ("calculator", frozenset(read)): f"{tenant}*",
        ("calculator", frozenset({"s3:ListBucket"})): f"{tenant}*",
        ("date_time", frozenset(read | {"s3:PutObject", "s3:DeleteObject"})): f"{tenant}reports/*",
        ("date_time", frozenset({"s3:ListBucket"})): f"{tenant}reports/*",
    }


def test_only_the_call_brings_credentials(made: Json) -> None:
    own = [body for name, body in made.items() if body["Type"] == "AWS::IAM::Policy" and not name.startswith("data")]
    assert own and "s3:" not in json.dumps(own)
    functions = [body["Properties"] for body in made.values() if body["Type"] == "AWS::Lambda::Function"]
    assert all("PAYLOAD_BUCKET" in one["Environment"]["Variables"] for one in functions)


def test_the_roles_and_the_adapter_mean_the_same_place() -> None:
    assert ROOT == files_s3.ROOT
