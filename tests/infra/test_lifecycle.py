"""What starts and ends runs, as synthesized: rules, schedules and who may look at switches."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template
from pydantic import ValidationError

from infra.components.stage_bus import StageBus
from infra.config import STAGES
from infra.orchestration.functions.ends import MOST_CHARACTERS, split_machines
from infra.orchestration.functions.schedules import Schedules
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.workflows import TextStep, WorkflowSpec
from pentad.domain.errors import ConfigurationError

Json = dict[str, Any]

DAILY = {"name": "daily", "expression": "cron(0 8 ? * MON-FRI *)", "timezone": "Europe/Berlin", "tenant": "acme"}


def rules(resources: list[tuple[str, Json]]) -> dict[str, Json]:
    found = [body["Properties"] for _, body in resources if body["Type"] == "AWS::Events::Rule"]
    return {rule["Name"]: rule for rule in found if "Name" in rule}


def workflow(name: str, schedules: list[Json]) -> WorkflowSpec:
    step = TextStep(name="a", number=1, text="x")
    return WorkflowSpec.model_validate(
        {"name": name, "description": "d", "answer": "{{a}}", "steps": {"a": step}, "schedules": schedules}
    )


def scheduled(*schedules: Json, agent: str = "clerk", of_workflow: bool = False) -> Json:
    stack = Stack(App(), "stack")
    key = kms.Key(stack, "key")
    build: Any = SimpleNamespace(stage=STAGES["dev"], stores=SimpleNamespace(data_key=key))
    given = [{"message": "Report.", **one} for one in schedules]
    clerk = {"name": agent, "description": "d", "prompt": "p", "schedules": given}
    spec = workflow(agent, given) if of_workflow else AgentSpec.model_validate(clerk)
    queues = {"runs": sqs.Queue(stack, "runs"), "dead": sqs.Queue(stack, "dead")}
    Schedules(stack, "schedules", build=build, agents={agent: spec}, **queues)
    found: Json = Template.from_stack(stack).to_json()["Resources"]
    return found


def test_ends_of_runs_and_executions_reach_their_queues(resources: list[tuple[str, Json]]) -> None:
    named = rules(resources)
    freed, failed, ended = (named[f"pentad-dev-{name}"] for name in ("session-free", "run-failed", "execution-ended"))
    assert freed["EventPattern"]["detail"] == {"waiting": [True]}
    assert failed["EventPattern"]["detail"] == {"status": ["failed"]}
    assert "EventBusName" not in ended  # AWS tells of executions on the account's default bus
    assert ended["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    machines = [body for _, body in resources if body["Type"] == "AWS::StepFunctions::StateMachine"]
    # All but the one that indexes many documents, whose executions are no runs.
    assert len(ended["EventPattern"]["detail"]["stateMachineArn"]) == len(machines) - 1
    queues = {body["Properties"]["QueueName"] for _, body in resources if body["Type"] == "AWS::SQS::Queue"}
    wanted = {"runs", "runs-dlq", "lifecycle", "lifecycle-dlq", "failed-runs-dlq"}
    assert {f"pentad-dev-{name}" for name in wanted} <= queues


def test_the_lifecycle_queue_takes_messages_from_its_rules_and_schedules_alone(
    resources: list[tuple[str, Json]],
) -> None:
    named = {body["Properties"].get("QueueName"): logical for logical, body in resources if "Queue" in body["Type"]}
    queue = named["pentad-dev-lifecycle"]
    policies = [body["Properties"] for _, body in resources if body["Type"] == "AWS::SQS::QueuePolicy"]
    [own] = [policy for policy in policies if policy["Queues"] == [{"Ref": queue}]]
    [seal] = [one for one in own["PolicyDocument"]["Statement"] if one.get("Sid") == "OnlyTheStack"]
    assert (seal["Effect"], seal["Action"]) == ("Deny", "sqs:SendMessage")
    assert seal["Principal"] in ("*", {"AWS": "*"})
    rules_of = {
        logical
        for logical, body in resources
        if body["Type"] == "AWS::Events::Rule" and {"Fn::GetAtt": [queue, "Arn"]} in _targets(body)
    }
    [(operator, keys)] = seal["Condition"].items()
    assert operator == "ArnNotEquals"
    assert {arn["Fn::GetAtt"][0] for arn in keys.pop("aws:SourceArn")} == rules_of
    assert len(rules_of) == 2
    roles = {logical for logical, body in resources if _is_for_scheduler(body)}
    assert {arn["Fn::GetAtt"][0] for arn in keys.pop("aws:PrincipalArn", [])} == roles
    assert keys == {}


def _targets(rule: Json) -> list[Json]:
    return [target["Arn"] for target in rule["Properties"].get("Targets", [])]


def _is_for_scheduler(body: Json) -> bool:
    return body["Type"] == "AWS::IAM::Role" and "scheduler.amazonaws.com" in json.dumps(body["Properties"])


@pytest.mark.parametrize("of_workflow", [False, True])
def test_a_schedule_sends_a_request_that_is_keyed_by_its_time(of_workflow: bool) -> None:
    made = scheduled(DAILY | {"session": "reports"}, of_workflow=of_workflow)
    [schedule] = [body["Properties"] for body in made.values() if body["Type"] == "AWS::Scheduler::Schedule"]
    assert (schedule["Name"], schedule["ScheduleExpressionTimezone"]) == ("pentad-dev-clerk-daily", "Europe/Berlin")
    assert schedule["ScheduleExpression"] == DAILY["expression"]
    assert json.loads(schedule["Target"]["Input"]) == {
        "tenant": "acme",
        "agent": "clerk",
        "message": "Report.",
        "session": "reports",
        "idempotency_key": "schedule/clerk/daily/<aws.scheduler.scheduled-time>",
    }
    [policy] = [body["Properties"] for body in made.values() if body["Type"] == "AWS::IAM::Policy"]
    actions = [statement["Action"] for statement in policy["PolicyDocument"]["Statement"]]
    assert actions == ["sqs:SendMessage", ["kms:Decrypt", "kms:GenerateDataKey"]]


def test_without_schedules_there_is_no_role_for_them() -> None:
    assert not [body for body in scheduled().values() if body["Type"].startswith(("AWS::IAM", "AWS::Scheduler"))]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"timezone": "Mars/Olympus"}, r"agents/clerk/agent\.yaml: schedules\.0\.timezone"),
    ],
)
def test_a_schedule_that_scheduler_would_refuse_is_told_with_file_and_field(fault: Json, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        scheduled(DAILY | fault)


def test_a_name_that_gets_too_long_is_told_with_file_and_field() -> None:
    agent = "a" * 40
    with pytest.raises(ConfigurationError, match=rf"agents/{agent}/agent\.yaml: schedules\.0\.name"):
        scheduled(DAILY | {"name": "b" * 31}, agent=agent)


def test_a_workflows_schedule_is_told_with_the_workflows_file() -> None:
    with pytest.raises(ConfigurationError, match=r"infra/workflows/big_report\.py: schedules\.0\.timezone"):
        scheduled(DAILY | {"timezone": "Mars/Olympus"}, agent="big-report", of_workflow=True)


def test_two_schedules_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two schedules have the same name"):
        scheduled(DAILY, DAILY, of_workflow=True)


def test_events_of_the_stacks_own_source_come_from_its_own_roles_alone(resources: list[tuple[str, Json]]) -> None:
    bodies = [body["Properties"] for _, body in resources if body["Type"] == "AWS::Events::EventBusPolicy"]
    [seal] = [body["Statement"] for body in bodies]
    assert (seal["Effect"], seal["Action"]) == ("Deny", "events:PutEvents")
    assert seal["Principal"] in ("*", {"AWS": "*"})
    assert seal["Condition"]["StringEquals"] == {"events:source": "pentad"}
    allowed = {one["Fn::GetAtt"][0] for one in seal["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]}
    granted = {
        role["Ref"]
        for _, body in resources
        if "IAM::" in body["Type"] and "events:PutEvents" in json.dumps(body["Properties"])
        for role in body["Properties"]["Roles"]
    }
    assert allowed == granted and len(granted) == 5


def test_what_acts_on_the_stacks_own_events_asks_for_their_source(resources: list[tuple[str, Json]]) -> None:
    on_the_bus = [rule for rule in rules(resources).values() if "EventBusName" in rule]
    unsealed = {rule["Name"] for rule in on_the_bus if rule["EventPattern"].get("source") != ["pentad"]}
    assert unsealed == {"pentad-dev-run-requested"}  # producers' requests, which are signed
    assert len(on_the_bus) > 6


def test_a_bus_that_nobody_may_send_to_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="grant_sending"):
        StageBus(Stack(App(), "stack"), "bus", prefix="pentad-dev").refuse_others()


@pytest.mark.parametrize(("count", "length"), [(1, 16), (8, 20), (19, 20), (28, 20), (35, 64), (100, 64)])
def test_the_patterns_of_all_state_machines_fit_into_their_rules(count: int, length: int) -> None:
    names = {f"m{number}": f"pentad-staging-{number:0{length - 15}d}"[:80] for number in range(count)}
    parts = split_machines(names)
    assert [machine for part in parts for machine in part] == list(names)
    arn = "arn:aws-us-gov:states:ap-southeast-7:123456789012:stateMachine:"
    for part in parts:
        pattern = {
            "detail": {
                "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                "stateMachineArn": [arn + names[machine] for machine in part],
            },
            "detail-type": ["Step Functions Execution Status Change"],
            "source": ["aws.states"],
        }
        assert len(json.dumps(pattern)) <= MOST_CHARACTERS
    assert len(parts) == 1 or count > 8
