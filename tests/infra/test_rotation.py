"""Where ``tools.yaml`` asks for a rotation there is one function, which may write just those secrets, and schedules."""

import json
from pathlib import Path

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.components.build import Build
from infra.config import STAGES
from infra.stacks.state import StateStack
from infra.tools.credentials.rotation import Rotations, count_rotation_resources
from infra.tools.tools_file import ToolsFile, read_tools_file
from pentad.domain.errors import ConfigurationError
from pentad.runtime.settings import RotateSecretSettings
from pentad.tools.declare.declare import ToolContext, tool
from tests.infra.conftest import Json, joined

FILE = """
secrets:
  hook: {rotate: {kind: key, field: secret, days: 7}}
  db: {name: shared/db, tenants: [acme], rotate: {kind: postgres, own: true}}
"""


def calculator(context: ToolContext) -> str:
    """Doc."""
    return ""


calculator.__module__ = "functions.tools.calculator"
TOOL = tool(effects="none", secrets=["plain", "hook", "db"])(calculator)


def read(folder: Path, text: str) -> ToolsFile:
    (folder / "tools.yaml").write_text(text, encoding="utf-8")
    return read_tools_file(folder, {"calculator": TOOL}, prefix="pentad-dev")


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ToolsFile, Json]:
    """What the project says, and the resources of a stack with its rotations."""
    folder = tmp_path_factory.mktemp("rotation")
    configured = read(folder, FILE)
    app = App(outdir=str(folder / "out"), context=json.loads((root / "cdk.json").read_text())["context"])
    state = StateStack(app, "state", stage=STAGES["dev"], tool_secrets=configured.made)
    stack = Stack(app, "agent")
    build = Build(stage=STAGES["dev"], stores=state.stores, root=root, layers=())
    Rotations(stack, "rotations", build=build, configured=configured)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # A finding of cdk-nag without a recorded reason ends it.
    return configured, Template.from_stack(stack).to_json()["Resources"]


def find(resources: Json, kind: str) -> list[Json]:
    return [one for one in resources.values() if one["Type"] == kind]


def test_each_secret_has_its_schedule_after_the_function_may_be_called(made: tuple[ToolsFile, Json]) -> None:
    schedules = {one["Properties"]["SecretId"]: one for one in find(made[1], "AWS::SecretsManager::RotationSchedule")}
    days = {name: one["Properties"]["RotationRules"]["AutomaticallyAfterDays"] for name, one in schedules.items()}
    assert days == {"pentad-dev/tools/hook": 7, "shared/db": 30}
    [permission] = [name for name, one in made[1].items() if one["Type"] == "AWS::Lambda::Permission"]
    for one in schedules.values():
        assert one["Properties"]["RotateImmediatelyOnUpdate"] is False
        assert permission in one["DependsOn"]
    properties = made[1][permission]["Properties"]
    assert (properties["Principal"], properties["SourceAccount"]) == (
        "secretsmanager.amazonaws.com",
        {"Ref": "AWS::AccountId"},
    )


def test_the_function_writes_what_it_rotates_and_nothing_else(made: tuple[ToolsFile, Json]) -> None:
    statements = [
        one
        for policy in find(made[1], "AWS::IAM::Policy")
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    writing = {
        joined(resource).rpartition(":secret:")[2]: one["Action"]
        for one in statements
        if any(action.startswith("secretsmanager:") for action in one["Action"])
        for resource in one["Resource"]  # the CDK joins statements with the same actions
    }
    actions = [f"secretsmanager:{name}" for name in ("DescribeSecret", "GetSecretValue", "PutSecretValue")]
    every = [*actions, "secretsmanager:UpdateSecretVersionStage"]
    names = ("pentad-dev/tools/hook", "shared/db", "shared/db/acme")
    assert writing == {f"{name}-??????": every for name in names}
    # The stack's own key for the secret that it makes; the other one has AWS's.
    [using] = [one for one in statements if "kms:GenerateDataKey" in one["Action"]]
    [pattern] = using["Condition"]["StringLike"]["kms:EncryptionContext:SecretARN"]
    assert joined(pattern).endswith("pentad-dev/tools/hook-??????")


def test_the_function_knows_how_each_is_rotated(made: tuple[ToolsFile, Json], monkeypatch: pytest.MonkeyPatch) -> None:
    [function] = [one["Properties"] for one in find(made[1], "AWS::Lambda::Function")]
    for name, value in function["Environment"]["Variables"].items():
        monkeypatch.setenv(name, joined(value))
    plans = RotateSecretSettings().secret_rotations
    assert {name: (one.kind, one.field) for name, one in plans.items()} == {
        "pentad-dev/tools/hook": ("key", "secret"),
        "shared/db": ("postgres", "password"),
        "shared/db/acme": ("postgres", "password"),
    }
    assert len(function["Layers"]) == 1  # the driver of PostgreSQL
    assert count_rotation_resources(made[0]) == 8


def test_a_project_without_rotations_has_none(tmp_path: Path) -> None:
    assert count_rotation_resources(read(tmp_path, "")) == 0


def test_tenants_own_secrets_are_left_alone_without_a_word(tmp_path: Path) -> None:
    configured = read(tmp_path, "secrets:\n  hook: {tenants: [acme], rotate: {kind: key}}\n")
    assert configured.secrets["hook"].rotated == ("pentad-dev/tools/hook",)


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("hook: {rotate: {kind: vendor}}", "secrets.hook.rotate.kind", "'password', 'key', 'postgres' or 'odoo'"),
        ("hook: {rotate: {kind: key, days: 0}}", "secrets.hook.rotate.days", "greater than or equal to 1"),
        ("hook: {rotate: {kind: odoo, days: 61}}", "secrets.hook.rotate.days", "ends after 90 days"),
        ("hook: {rotate: {days: 3}}", "secrets.hook.rotate.kind", "required"),
        ("hook: {tenants: true, rotate: {kind: key}}", "secrets.hook.rotate", "only a shared secret can be rotated"),
        ("hook: {rotate: {kind: key, own: true}}", "secrets.hook.rotate.own", "1 to 20 listed tenants"),
        (
            f"hook: {{tenants: [{', '.join(f't{n}' for n in range(21))}], rotate: {{kind: key, own: true}}}}",
            "secrets.hook.rotate.own",
            "and 21 are listed",
        ),
        ("hook: {renewed: true, rotate: {kind: key}}", "secrets.hook.rotate", "renews it itself"),
    ],
)
def test_a_rotation_that_cannot_be_is_told(tmp_path: Path, text: str, field: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, f"secrets:\n  {text}\n")
    assert field in f"{caught.value.message} {caught.value.field}"
    assert words in caught.value.message
