"""The log of contents: off by default; where it is asked for, a function, a queue, a key and a reader's policy."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_events as events
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.components.build import Build
from infra.config import STAGES, read_stage
from infra.contents import check_agents, read_contents
from infra.observability.contents import RESOURCES, Contents
from infra.stacks.state import StateStack
from pentad.domain.errors import ConfigurationError
from pentad.runtime.settings import ContentsSettings
from tests.infra.conftest import joined

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
WANTED = {"agents": ["assistant", "clerk"], "days": 7, "names": "comprehend"}


@pytest.fixture(scope="module")
def contents() -> dict[str, Json]:
    """The resources of a stack with the log of contents."""
    ours = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context=ours | {"stage": "dev", "contents": {"dev": WANTED}, "aws:cdk:bundling-stacks": []})
    stage = read_stage(app)
    assert stage.contents is not None
    state = StateStack(app, "state", stage=stage)
    stack = Stack(app, "agents")
    build = Build(stage=stage, stores=state.stores, root=ROOT, layers=[])
    bus = events.EventBus(stack, "bus", event_bus_name=stage.prefix)
    Contents(stack, "contents", build=build, bus=bus, wanted=stage.contents)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # A finding of cdk-nag without a recorded reason ends it.
    found: dict[str, Json] = Template.from_stack(stack).to_json()["Resources"]
    return found


def of_type(resources: dict[str, Json], kind: str) -> list[Json]:
    return [one for one in resources.values() if one["Type"] == kind]


def list_statements(resources: dict[str, Json], kind: str) -> list[Json]:
    return [each for one in of_type(resources, kind) for each in one["Properties"]["PolicyDocument"]["Statement"]]


def test_no_stage_keeps_contents_by_default(functions: dict[str, Json]) -> None:
    assert {stage.contents for stage in STAGES.values()} == {None}
    assert "pentad-dev-contents" not in functions


def test_the_group_is_encrypted_and_kept_as_long_as_was_asked(contents: dict[str, Json]) -> None:
    [group] = [
        one
        for one in of_type(contents, "AWS::Logs::LogGroup")
        if one["Properties"]["LogGroupName"] == "/pentad/pentad-dev/contents"
    ]
    [key] = [name for name, one in contents.items() if one["Type"] == "AWS::KMS::Key"]
    assert group["Properties"]["KmsKeyId"]["Fn::GetAtt"] == [key, "Arn"]
    assert group["Properties"]["RetentionInDays"] == 7
    assert contents[key]["Properties"]["EnableKeyRotation"] is True


def test_cloudwatch_may_use_the_key_for_this_group_alone(contents: dict[str, Json]) -> None:
    [key] = of_type(contents, "AWS::KMS::Key")
    given = [one for one in key["Properties"]["KeyPolicy"]["Statement"] if "Service" in one["Principal"]]
    assert len(given) == 1
    [condition] = given[0]["Condition"].values()
    assert joined(condition["kms:EncryptionContext:aws:logs:arn"]).endswith(":log-group:/pentad/pentad-dev/contents")


def test_one_policy_reads_the_group_and_nothing_else(contents: dict[str, Json]) -> None:
    [reading, of_queries] = list_statements(contents, "AWS::IAM::ManagedPolicy")
    assert set(reading["Action"]) == {"logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"}
    assert all(":log-group:/pentad/pentad-dev/contents" in joined(one) for one in reading["Resource"])
    # What a query found is read by the query's id, which DescribeQueries would tell, and this policy does not.
    assert (set(of_queries["Action"]), of_queries["Resource"]) == ({"logs:GetQueryResults", "logs:StopQuery"}, "*")
    others = [one for one in list_statements(contents, "AWS::IAM::Policy") if "logs:" in json.dumps(one["Action"])]
    for one in others:
        assert "logs:FilterLogEvents" not in json.dumps(one["Action"])
    [taking_back] = [one for one in others if "logs:DeleteLogStream" in json.dumps(one["Action"])]
    assert joined(taking_back["Resource"]).endswith(":log-group:/pentad/pentad-dev/contents:log-stream:*")


def test_the_function_reads_runs_and_sessions_and_writes_nothing_but_the_log(contents: dict[str, Json]) -> None:
    actions = {
        action
        for one in list_statements(contents, "AWS::IAM::Policy")
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    assert "comprehend:DetectPiiEntities" in actions
    writes = ("dynamodb:Put", "dynamodb:Update", "dynamodb:Delete", "dynamodb:BatchWrite")
    assert not [one for one in actions if one.startswith(writes)]
    assert "s3:PutObject" not in actions and "s3:GetObject" in actions


def test_the_environment_is_what_the_settings_name(contents: dict[str, Json], monkeypatch: pytest.MonkeyPatch) -> None:
    [function] = of_type(contents, "AWS::Lambda::Function")
    variables = function["Properties"]["Environment"]["Variables"]
    for name, value in variables.items():
        monkeypatch.setenv(name, joined(value))
    values = ContentsSettings()
    assert (values.contents_agents, values.contents_names) == (["assistant", "clerk"], "comprehend")
    known = {field.upper() for field in ContentsSettings.model_fields}
    assert {name for name in variables if not name.startswith("POWERTOOLS_")} <= known


def test_the_stack_counts_its_resources_as_no_fewer_than_they_are(contents: dict[str, Json]) -> None:
    assert len(contents) - 1 <= RESOURCES  # less the bus


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"agents": ["a"]},
        {"agents": [], "days": 7},
        {"agents": "a", "days": 7},
        {"agents": ["a"], "days": 8},
        {"agents": ["a"], "days": True},
        {"agents": ["a"], "days": 7, "names": "presidio"},
        {"agents": ["a"], "days": 7, "more": 1},
    ],
)
def test_what_is_not_well_formed_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"cdk\.json: contents"):
        read_contents(value)


def test_an_agent_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigurationError, match="no agent 'clerk'"):
        check_agents(read_contents({"agents": ["assistant", "clerk"], "days": 7}), ["assistant"])
