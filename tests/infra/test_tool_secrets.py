"""What the roles of a tool with secrets may read: what it declares, of its tenant where tenants have their own."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.components.build import Build
from infra.config import STAGES
from infra.stacks.state import StateStack
from infra.tools.data import ToolData, list_data
from infra.tools.tool import ToolFunction
from infra.tools.tools_file import ToolsFile, read_tools_file
from pentad.runtime.settings import ToolSettings
from pentad.tools.declare.declare import ToolContext, tool
from tests.infra.conftest import Json, joined

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FILE = f"""
secrets:
  own: {{tenants: true}}
  both: {{tenants: [acme]}}
  again: {{tenants: [acme], renewed: true}}
  theirs: {{name: vendor/theirs, key: '{KEY}', tenants: [acme]}}
"""


def calculator(context: ToolContext) -> str:
    """Doc."""
    return ""


calculator.__module__ = "functions.tools.calculator"
TOOL = tool(effects="none", secrets=["plain", "own", "both", "theirs", "again"])(calculator)


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ToolsFile, Json, Json]:
    """What the project says, the state stack's resources, and those of a stack with the tool's function and data."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "tools.yaml").write_text(FILE, encoding="utf-8")
    configured = read_tools_file(folder, {"calculator": TOOL}, prefix="pentad-dev")
    app = App(outdir=str(folder / "out"), context=json.loads((root / "cdk.json").read_text())["context"])
    stage = STAGES["dev"]
    state = StateStack(app, "state", stage=stage, tool_secrets=configured.made)
    stack = Stack(app, "agent")
    build = Build(stage=stage, stores=state.stores, root=root, layers=())
    ToolFunction(stack, "tool", build=build, tool=TOOL, gateway=None, configured=configured)
    runner = iam.Role(stack, "runner", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    ToolData(stack, "data", build=build, tools={"calculator": TOOL}, runner=runner, configured=configured)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # A finding of cdk-nag without a recorded reason ends it.
    return configured, *(Template.from_stack(one).to_json()["Resources"] for one in (state, stack))


def read_grants(resources: Json, start: str) -> list[tuple[str, str, Any]]:
    """Return action, resource and statement of each grant on secrets in the policies that begin so."""
    found = []
    for name, body in resources.items():
        if body["Type"] == "AWS::IAM::Policy" and name.startswith(start):
            for one in body["Properties"]["PolicyDocument"]["Statement"]:
                if one["Action"] in ("secretsmanager:GetSecretValue", "kms:Decrypt"):
                    reached = one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]
                    found += [(one["Action"], joined(each).rpartition(":secret:")[2], one) for each in reached]
    return found


def test_the_stack_makes_the_secrets_that_the_project_does_not_name(made: tuple[ToolsFile, Json, Json]) -> None:
    secrets = [one["Properties"] for one in made[1].values() if one["Type"] == "AWS::SecretsManager::Secret"]
    names = {joined(one["Name"]) for one in secrets}
    assert {name for name in names if "/tools/" in name} == {
        f"pentad-dev/tools/{name}" for name in ("plain", "both", "again")
    }


def test_the_function_reads_the_shared_ones_only(made: tuple[ToolsFile, Json, Json]) -> None:
    grants = read_grants(made[2], "tool")
    read = [resource for action, resource, _ in grants if action.startswith("secretsmanager")]
    assert sorted(read) == [
        f"{name}-??????" for name in ("pentad-dev/tools/both", "pentad-dev/tools/plain", "vendor/theirs")
    ]
    for action, resource, statement in grants:
        if action == "kms:Decrypt":
            condition = statement["Condition"]
            [pattern] = condition["StringLike"]["kms:EncryptionContext:SecretARN"]
            assert joined(pattern).endswith("-??????") and "kms:ViaService" in condition["StringEquals"]
            assert (resource == KEY) == joined(pattern).endswith("vendor/theirs-??????")


def test_a_session_reads_its_tenants_own_ones_only(made: tuple[ToolsFile, Json, Json]) -> None:
    grants = read_grants(made[2], "data")
    read = [resource for action, resource, _ in grants if action.startswith("secretsmanager")]
    tenant = "${aws:PrincipalTag/tenant}-??????"
    assert sorted(read) == [f"pentad-dev/tools/{name}/{tenant}" for name in ("both", "own")] + [
        f"vendor/theirs/{tenant}"
    ]
    assert len(grants) == 6
    for _, _, statement in grants:
        assert statement["Condition"]["StringEquals"]["aws:PrincipalTag/tool"] == ["calculator"]


@pytest.mark.parametrize(
    ("start", "secret"), [("tool", "again-??????"), ("data", "again/${aws:PrincipalTag/tenant}-??????")]
)
def test_only_a_secret_that_is_renewed_is_written(made: tuple[ToolsFile, Json, Json], start: str, secret: str) -> None:
    statements = [
        one
        for name, body in made[2].items()
        if body["Type"] == "AWS::IAM::Policy" and name.startswith(start)
        for one in body["Properties"]["PolicyDocument"]["Statement"]
    ]
    writing = [one for one in statements if "secretsmanager:PutSecretValue" in one["Action"]]
    assert [joined(one["Resource"]).rpartition(":secret:")[2] for one in writing] == [f"pentad-dev/tools/{secret}"]
    assert writing[0]["Action"][1:] == ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
    sealing = [one for one in statements if "kms:GenerateDataKey" in one["Action"]]
    [pattern] = sealing[0]["Condition"]["StringLike"]["kms:EncryptionContext:SecretARN"]
    assert len(sealing) == 1
    assert joined(pattern).endswith(secret)


def test_the_runner_makes_sessions_where_tenants_have_their_own(made: tuple[ToolsFile, Json, Json]) -> None:
    assert list_data(TOOL, made[0]) == ["secrets"]
    assert list_data(TOOL, ToolsFile()) == []


def test_the_function_knows_where_each_is(made: tuple[ToolsFile, Json, Json], monkeypatch: pytest.MonkeyPatch) -> None:
    [function] = [one["Properties"] for one in made[2].values() if one["Type"] == "AWS::Lambda::Function"]
    for name, value in function["Environment"]["Variables"].items():
        monkeypatch.setenv(name, joined(value))
    places = ToolSettings().tool_secrets
    assert {name: one.find("acme") for name, one in places.items()} == {
        "plain": "pentad-dev/tools/plain",
        "own": "pentad-dev/tools/own/acme",
        "both": "pentad-dev/tools/both/acme",
        "theirs": "vendor/theirs/acme",
        "again": "pentad-dev/tools/again/acme",
    }
    assert [name for name, one in places.items() if one.renewed] == ["again"]
    assert places["both"].find("globex") == "pentad-dev/tools/both"
