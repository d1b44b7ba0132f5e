"""The export of spans: off by default, and with a target a function, a queue, a secret and a filter for every log."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.components.build import Build
from infra.components.function import FunctionOptions
from infra.config import STAGES, read_stage, read_targets
from infra.observability.export import Export
from infra.stacks.state import StateStack
from pentad.domain.errors import ConfigurationError
from pentad.observability.export.log_batch import FILTER_PATTERN
from pentad.runtime.settings import ExportSettings
from tests.infra.conftest import joined

Json = dict[str, Any]
PHOENIX = {"name": "phoenix", "kind": "phoenix", "endpoint": "https://phoenix.example.com", "project": "mine"}
TARGETS = [PHOENIX, {"name": "aws", "kind": "xray"}]
TRACES_WITH_CONTENTS = [PHOENIX | {"contents": True, "feedback": True}]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def exported() -> dict[str, Json]:
    """The resources of a stack with one function and the export of its spans."""
    return synthesize(TARGETS)


def synthesize(targets: list[Json], **context: Any) -> dict[str, Json]:
    ours = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context=ours | {"stage": "dev", "traces": {"dev": targets}, "aws:cdk:bundling-stacks": []} | context)
    stage = read_stage(app)
    state = StateStack(app, "state", stage=stage)
    stack = Stack(app, "agents")
    build = Build(stage=stage, stores=state.stores, root=ROOT, layers=[])
    for name in ("recall", "deliver"):
        module = "functions.memory.recall"
        options = FunctionOptions(name=name, module=module, environment={}, timeout_seconds=3, description="one")
        build.create_function(stack, options)
    Export(stack, "export", build=build)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # A finding of cdk-nag without a recorded reason ends it.
    found: dict[str, Json] = Template.from_stack(stack).to_json()["Resources"]
    return found


def of_type(resources: dict[str, Json], kind: str) -> list[Json]:
    return [one for one in resources.values() if one["Type"] == kind]


def find_exporter(resources: dict[str, Json]) -> tuple[str, Json]:
    return next(
        (name, one)
        for name, one in resources.items()
        if one["Type"] == "AWS::Lambda::Function" and one["Properties"]["FunctionName"] == "pentad-dev-export"
    )


def test_no_stage_exports_anything_by_default(functions: dict[str, Json]) -> None:
    assert {stage.trace_targets for stage in STAGES.values()} == {()}
    assert "pentad-dev-export" not in functions


def test_every_functions_log_but_the_exporters_own_has_a_filter(exported: dict[str, Json]) -> None:
    filters = of_type(exported, "AWS::Logs::SubscriptionFilter")
    groups = {one["Properties"]["LogGroupName"]["Ref"] for one in filters}
    names = {exported[group]["Properties"]["LogGroupName"] for group in groups}
    # Its own lines would come back to it without end.
    assert names == {"/aws/lambda/pentad-dev-recall", "/aws/lambda/pentad-dev-deliver"}
    assert {one["Properties"]["FilterPattern"] for one in filters} == {FILTER_PATTERN}
    exporter, _ = find_exporter(exported)
    assert {one["Properties"]["DestinationArn"]["Fn::GetAtt"][0] for one in filters} == {exporter}


def test_a_filter_waits_for_the_leave_to_invoke_which_is_for_this_stages_logs(exported: dict[str, Json]) -> None:
    [(name, permission)] = [(name, one) for name, one in exported.items() if one["Type"] == "AWS::Lambda::Permission"]
    assert permission["Properties"]["Principal"] == "logs.amazonaws.com"
    assert joined(permission["Properties"]["SourceArn"]).endswith(":log-group:/aws/lambda/pentad-dev-*:*")
    for one in of_type(exported, "AWS::Logs::SubscriptionFilter"):
        assert name in one["DependsOn"]


def test_the_environment_is_what_the_settings_name(exported: dict[str, Json], monkeypatch: pytest.MonkeyPatch) -> None:
    _, exporter = find_exporter(exported)
    variables = exporter["Properties"]["Environment"]["Variables"]
    for name, value in variables.items():
        monkeypatch.setenv(name, joined(value))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert ExportSettings().trace_targets == TARGETS
    known = {field.upper() for field in ExportSettings.model_fields}
    assert {name for name in variables if not name.startswith("POWERTOOLS_")} <= known


def test_what_was_said_is_read_only_where_a_target_and_the_stage_want_it(exported: dict[str, Json]) -> None:
    granted = json.dumps(of_type(exported, "AWS::IAM::Policy"))
    _, exporter = find_exporter(exported)
    assert "CONTENTS_AGENTS" not in exporter["Properties"]["Environment"]["Variables"]
    assert "dynamodb:Query" not in granted
    wanting = synthesize(TRACES_WITH_CONTENTS, contents={"dev": {"agents": ["clerk"], "days": 7}})
    _, exporter = find_exporter(wanting)
    variables = exporter["Properties"]["Environment"]["Variables"]
    assert json.loads(variables["CONTENTS_AGENTS"]) == ["clerk"]
    assert json.loads(variables["TRACE_TARGETS"])[0]["contents"] is True
    granted = json.dumps(of_type(wanting, "AWS::IAM::Policy"))
    assert "dynamodb:Query" in granted and "s3:GetObject" in granted
    assert "dynamodb:PutItem" not in granted and "dynamodb:UpdateItem" not in granted
    with pytest.raises(ConfigurationError, match="the stage 'dev' keeps no contents"):
        synthesize(TRACES_WITH_CONTENTS)


def test_feedback_is_read_only_where_a_target_wants_it(exported: dict[str, Json]) -> None:
    def reads(resources: dict[str, Json]) -> bool:
        return "dynamodb:GetItem" in json.dumps(of_type(resources, "AWS::IAM::Policy"))

    _, exporter = find_exporter(exported)
    assert not reads(exported) and "STATE_TABLE" not in exporter["Properties"]["Environment"]["Variables"]
    wanting = synthesize([PHOENIX | {"feedback": True}])
    _, exporter = find_exporter(wanting)
    assert reads(wanting) and "STATE_TABLE" in exporter["Properties"]["Environment"]["Variables"]
    assert "dynamodb:Query" not in json.dumps(of_type(wanting, "AWS::IAM::Policy"))


def test_what_can_not_be_delivered_is_kept(exported: dict[str, Json]) -> None:
    [config] = of_type(exported, "AWS::Lambda::EventInvokeConfig")
    dead = config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    queues = {name: one["Properties"] for name, one in exported.items() if one["Type"] == "AWS::SQS::Queue"}
    [work] = [one for one in queues.values() if "RedrivePolicy" in one]
    assert work["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] == dead
    assert queues[dead]["QueueName"] == "pentad-dev-spans-dlq"


def test_x_rays_right_is_there_for_x_ray(exported: dict[str, Json]) -> None:
    assert "xray:PutSpans" in json.dumps(of_type(exported, "AWS::IAM::Policy"))


@pytest.mark.parametrize(
    "values",
    [
        "phoenix",
        7,
        [7],
        [{"name": "a", "kind": "jaeger"}],
        [{"name": "A", "kind": "otlp"}],
        [{"name": "a", "kind": "otlp", "endpoint": "file:///x"}],
        [{"name": "a", "kind": "otlp", "api_key": "x"}],
        [PHOENIX, PHOENIX],
    ],
)
def test_what_is_no_list_of_targets_is_refused(values: Any) -> None:
    with pytest.raises(ConfigurationError, match="traces"):
        read_targets(values)
