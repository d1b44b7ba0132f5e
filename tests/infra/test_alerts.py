"""Alerts to Slack, Teams and webhooks: off by default, and with a target a queue, a secret and a function."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.alerts import read_alerts
from infra.components.build import Build
from infra.config import STAGES, read_stage
from infra.observability.alarms import Alarms
from infra.stacks.state import StateStack
from pentad.domain.errors import ConfigurationError
from pentad.observability.alerts.targets import AlertTarget
from pentad.runtime.settings import AlertSettings
from tests.infra.conftest import joined

Json = dict[str, Any]
SLACK: Json = {"kind": "slack", "name": "on-call"}
HOOK: Json = {"kind": "webhook", "name": "pager", "host": "events.example.com"}
ALERTS: Json = {"page": ["on-call@example.com", SLACK, HOOK], "link": "https://example.com/files"}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> tuple[dict[str, Json], dict[str, Json]]:
    """The resources of the state's stack, and of the alarms' with a project's targets."""
    ours = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context=ours | {"stage": "dev", "alerts": {"dev": ALERTS}, "aws:cdk:bundling-stacks": []})
    stage = read_stage(app)
    state = StateStack(app, "state", stage=stage)
    stack = Stack(app, "agents")
    alarms = Alarms(stack, "alarms", build=Build(stage=stage, stores=state.stores, root=ROOT, layers=[]), api_id="api")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # A finding of cdk-nag without a recorded reason ends it.
    return Template.from_stack(state).to_json()["Resources"], Template.from_stack(alarms).to_json()["Resources"]


@pytest.fixture
def alerting(made: tuple[dict[str, Json], dict[str, Json]]) -> dict[str, Json]:
    return made[1]


def of_type(resources: dict[str, Json], kind: str) -> list[Json]:
    return [one["Properties"] for one in resources.values() if one["Type"] == kind]


def test_no_stage_has_a_target_of_its_own(functions: dict[str, Json]) -> None:
    assert not any(stage.alerts.has_targets for stage in STAGES.values())
    assert "pentad-dev-alert" not in functions


def test_a_topic_with_a_target_fills_the_queue_and_tells_addresses_by_itself(alerting: dict[str, Json]) -> None:
    told = {one["Protocol"]: one for one in of_type(alerting, "AWS::SNS::Subscription")}
    assert set(told) == {"email", "sqs"}, "no ticket has a target"
    assert "pages" in joined(told["sqs"]["TopicArn"]) and "queuealerts" in joined(told["sqs"]["Endpoint"])
    policies = of_type(alerting, "AWS::SQS::QueuePolicy")
    allowed = [
        one
        for policy in policies
        for one in policy["PolicyDocument"]["Statement"]
        if one.get("Principal") == {"Service": "sns.amazonaws.com"}
    ]
    [statement] = allowed
    assert statement["Action"] == "sqs:SendMessage"
    assert "pages" in joined(statement["Condition"]["ArnEquals"]["aws:SourceArn"])


def test_sns_may_use_the_key_of_the_queue_where_there_is_a_target(
    made: tuple[dict[str, Json], dict[str, Json]], templates: dict[str, Json]
) -> None:
    assert "sns.amazonaws.com" in json.dumps(of_type(made[0], "AWS::KMS::Key"))
    [plain] = [one for name, one in templates.items() if "state" in name.lower()]
    assert "sns.amazonaws.com" not in json.dumps(plain)


def test_the_environment_is_what_the_settings_name_and_holds_no_address(
    alerting: dict[str, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    [function] = of_type(alerting, "AWS::Lambda::Function")
    variables = function["Environment"]["Variables"]
    for name, value in variables.items():
        monkeypatch.setenv(name, joined(value))
    assert AlertSettings().alert_targets == {"page": [SLACK, HOOK], "ticket": []}
    known = {field.upper() for field in AlertSettings.model_fields}
    assert {name for name in variables if not name.startswith("POWERTOOLS_")} <= known
    assert "hooks.slack.com" not in json.dumps(function)


def test_the_function_reaches_its_secret_its_queue_and_the_log_of_alerts_only(alerting: dict[str, Json]) -> None:
    granted = {
        action
        for policy in of_type(alerting, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
    services = {action.partition(":")[0] for action in granted}
    assert services <= {"logs", "xray", "sqs", "kms", "secretsmanager", "dynamodb"}
    assert {one for one in granted if one.startswith("dynamodb:")} == {"dynamodb:UpdateItem"}
    assert '"dynamodb:LeadingKeys": ["SYS#ALERT#*"]' in json.dumps(alerting)


def test_what_no_target_took_is_kept_and_an_alarm_tells_of_it(alerting: dict[str, Json]) -> None:
    queues = {one["QueueName"]: one for one in of_type(alerting, "AWS::SQS::Queue")}
    assert set(queues) == {"pentad-dev-alerts", "pentad-dev-alerts-dlq"}
    assert queues["pentad-dev-alerts"]["RedrivePolicy"]["maxReceiveCount"] == 12
    alarms = {one.get("AlarmName") for one in of_type(alerting, "AWS::CloudWatch::Alarm")}
    assert "pentad-dev-alerts-undelivered" in alarms


def test_a_project_says_who_is_told_in_its_own_file() -> None:
    alerts = read_alerts(ALERTS, STAGES["dev"].alerts)
    assert alerts.find_receivers("page") == ("on-call@example.com",)
    assert [one.name for one in alerts.find_targets("page")] == ["on-call", "pager"]
    assert (alerts.find_targets("ticket"), alerts.link) == ((), "https://example.com/files")
    assert read_alerts({}, alerts) == alerts, "what is not said stays"


@pytest.mark.parametrize(
    "values",
    [
        {"page": "slack"},
        {"page": [7]},
        {"page": [{"kind": "pager", "name": "a"}]},
        {"page": [{"kind": "slack", "name": "a", "url": "https://hooks.slack.com/services/T/B/x"}]},
        {"page": [{"kind": "webhook", "name": "a"}]},
        {"page": [{"kind": "webhook", "name": "a", "host": "*"}]},
        {"page": [{"kind": "webhook", "name": "a", "host": "169.254.169.254"}]},
        {"page": [SLACK, SLACK]},
        {"page": [SLACK | {"name": f"s{number}"} for number in range(6)]},
        {"link": "http://example.com"},
        {"link": 7},
        {"chat": []},
    ],
)
def test_what_a_project_says_wrongly_is_refused(values: Json) -> None:
    with pytest.raises(ConfigurationError):
        read_alerts(values, STAGES["dev"].alerts)


def test_one_target_may_be_told_of_both() -> None:
    alerts = read_alerts({"page": [SLACK], "ticket": [SLACK]}, STAGES["dev"].alerts)
    assert alerts.find_targets("page") == alerts.find_targets("ticket") == (AlertTarget.model_validate(SLACK),)
