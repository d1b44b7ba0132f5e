"""An update in place: what runs stays on its version, what starts goes where the alias leads, the rest is refused."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from tests.twin.stack.world import until
from tests.twin.update.assembly import CANARY, LINEAR, LIVE, MACHINE, role, write
from twin.deploy.errors import UpdateRefused
from twin.running import state_file as twin_file
from twin.running.options import TwinOptions
from twin.running.twin import Twin

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("twin-update")]

Json = dict[str, Any]
SEED = 7


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write(tmp_path / "cdk.out", "old", 1)


@pytest.fixture
def twin(out: Path, tmp_path: Path) -> Iterator[Twin]:
    options = TwinOptions(vector_dimension=8, routing_seed=SEED)
    with Twin.start(out, tmp_path / ".pentad", options=options) as running:
        yield running


def start(twin: Twin, *, waits: bool = False, at: str = LIVE) -> str:
    text = json.dumps({"wait": 600} if waits else {})
    arn: str = twin.get_admin_client("stepfunctions").start_execution(stateMachineArn=at, input=text)["executionArn"]
    return arn


def ended(twin: Twin, execution: str) -> Json:
    client = twin.get_admin_client("stepfunctions")

    def look() -> Json | None:
        found: Json = client.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    found = until(look, "the end of the execution")
    assert found["status"] == "SUCCEEDED", found
    output: Json = json.loads(found["output"])
    return output


def token(twin: Twin) -> str:
    client = twin.get_admin_client("sqs")
    url = client.get_queue_url(QueueName="questions")["QueueUrl"]
    message = until(lambda: client.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"), "the question")
    return str(message[0]["Body"])


def said(output: Json) -> tuple[str, str, str]:
    return output["word"], output["variable"], output["definition"]


def test_a_run_in_flight_ends_on_its_own_code_configuration_and_definition(twin: Twin, out: Path) -> None:
    waiting = start(twin, waits=True)
    question = token(twin)
    twin.updates.update(write(out, "new", 2))
    assert said(ended(twin, start(twin))) == ("new", "new", "new")
    twin.get_admin_client("stepfunctions").send_task_success(taskToken=question, output="{}")
    output = ended(twin, waiting)
    assert said(output) == ("old", "old", "old")
    assert output["arn"].endswith(":function:say:1")


def test_a_new_run_says_which_version_it_is_of(twin: Twin, out: Path) -> None:
    client = twin.get_admin_client("stepfunctions")
    first = client.describe_execution(executionArn=start(twin))
    twin.updates.update(write(out, "new", 2))
    second = client.describe_execution(executionArn=start(twin))
    assert (first["stateMachineVersionArn"], second["stateMachineVersionArn"]) == (f"{MACHINE}:1", f"{MACHINE}:2")
    assert first["stateMachineAliasArn"] == second["stateMachineAliasArn"] == LIVE


def test_a_rule_hears_what_its_new_pattern_says(twin: Twin, out: Path) -> None:
    twin.updates.update(write(out, "new", 2))
    rule = twin.get_admin_client("events").describe_rule(Name="heard")
    assert json.loads(rule["EventPattern"]) == {"source": ["new"]}


def test_a_schedule_that_is_new_or_changed_fires_when_it_now_says(twin: Twin, out: Path) -> None:
    def tide(expression: str) -> Json:
        target = {"Arn": {"Fn::GetAtt": ["Questions", "Arn"]}, "RoleArn": "arn:aws:iam::123456789012:role/tide"}
        properties = {"Name": "tide", "ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}}
        return {"Type": "AWS::Scheduler::Schedule", "Properties": {**properties, "Target": target}}

    assert twin.pumps.timetable.next_moment() is None
    for year in (2098, 2099):
        twin.updates.update(write(out, "old", 1, Tide=tide(f"at({year}-01-01T00:00:00)")))
        assert twin.pumps.timetable.next_moment() == datetime(year, 1, 1, tzinfo=UTC)


def test_a_queue_lets_in_whom_its_new_policy_lets_in(twin: Twin, out: Path) -> None:
    statement: Json = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}

    def policy(sid: str, *queues: Json) -> Json:
        document = {"Version": "2012-10-17", "Statement": [{"Sid": sid, **statement}]}
        return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": list(queues), "PolicyDocument": document}}

    def read() -> str | None:
        client = twin.get_admin_client("sqs")
        url = client.get_queue_url(QueueName="questions")["QueueUrl"]
        told = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {}).get("Policy")
        return str(json.loads(told)["Statement"][0]["Sid"]) if told else None

    assert read() is None
    for sid in ("Shut", "Sealed"):
        twin.updates.update(write(out, "old", 1, Door=policy(sid, {"Ref": "Questions"})))
        assert read() == sid
    twin.updates.update(write(out, "old", 1, Door=policy("Sealed")))
    assert read() is None


def test_a_bus_has_the_statement_that_its_policy_has_now(twin: Twin, out: Path) -> None:
    common: Json = {"Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}

    def policy(sid: str, source: str) -> Json:
        statement = {**common, "Condition": {"StringEquals": {"events:source": source}}}
        return {"Type": "AWS::Events::EventBusPolicy", "Properties": {"StatementId": sid, "Statement": statement}}

    for sid, source in (("Seal", "a"), ("Seal", "b"), ("Other", "b")):
        twin.updates.update(write(out, "old", 1, Seal=policy(sid, source)))
        told = json.loads(twin.get_admin_client("events").describe_event_bus(Name="default")["Policy"])
        [statement] = told["Statement"]
        assert (statement["Sid"], statement["Condition"]["StringEquals"]["events:source"]) == (sid, source)


def test_an_unpublished_call_gets_the_new_code_at_once(twin: Twin, out: Path) -> None:
    assert twin.host.invoke("say", b"{}").json()["word"] == "old"
    twin.updates.update(write(out, "new", 2))
    assert twin.host.invoke("say", b"{}").json()["word"] == "new"
    assert twin.host.invoke("say", b"{}", qualifier="1").json()["word"] == "old"
    assert twin.host.invoke("say", b"{}", qualifier="live").json()["word"] == "new"


def test_versions_that_are_the_same_share_their_instances(twin: Twin) -> None:
    assert twin.host.invoke("say", b"{}").cold
    assert not twin.host.invoke("say", b"{}", qualifier="1").cold


def test_an_update_that_changes_nothing_publishes_nothing(twin: Twin, out: Path) -> None:
    twin.updates.update(write(out, "old", 1))
    described = twin.get_admin_client("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=LIVE)
    assert described["routingConfiguration"] == [{"stateMachineVersionArn": f"{MACHINE}:1", "weight": 100}]
    assert [one.qualifier for one in twin.deployment.versions] == ["1", "live"]


def test_a_canary_gives_its_share_of_new_runs_to_the_new_version(twin: Twin, out: Path) -> None:
    [rollout] = twin.updates.update(write(out, "new", 2, preference=CANARY), hold=True)
    assert (rollout.before, rollout.after, rollout.shifted) == (f"{MACHINE}:1", f"{MACHINE}:2", 20)
    client = twin.get_admin_client("stepfunctions")
    versions = Counter(
        client.describe_execution(executionArn=start(twin))["stateMachineVersionArn"][-1] for _ in range(100)
    )
    assert 10 <= versions["2"] <= 30
    assert versions["1"] + versions["2"] == 100


def test_a_canary_is_over_after_its_interval(twin: Twin, out: Path) -> None:
    twin.updates.update(write(out, "new", 2, preference=CANARY), hold=True)
    assert twin.updates.advance() == []
    assert {said(ended(twin, start(twin)))[0] for _ in range(5)} == {"new"}


def test_a_linear_rollout_goes_on_part_by_part(twin: Twin, out: Path) -> None:
    [rollout] = twin.updates.update(write(out, "new", 2, preference=LINEAR), hold=True)
    shares = [rollout.shifted]
    while twin.updates.advance():
        shares.append(rollout.shifted)
    assert [*shares, rollout.shifted] == [40, 80, 100]


def test_rolling_back_gives_every_new_run_the_former_version_and_puts_the_code_back(twin: Twin, out: Path) -> None:
    twin.updates.update(write(out, "new", 2, preference=CANARY), hold=True)
    twin.updates.rollback()
    assert {said(ended(twin, start(twin))) for _ in range(5)} == {("old", "old", "old")}
    assert twin.host.invoke("say", b"{}").json()["word"] == "old"
    client = twin.get_admin_client("stepfunctions")
    assert "'old'" in client.describe_state_machine(stateMachineArn=MACHINE)["definition"]


def test_an_update_after_a_rollback_is_a_version_of_its_own(twin: Twin, out: Path) -> None:
    twin.updates.update(write(out, "bad", 2))
    twin.updates.rollback()
    twin.updates.update(write(out, "good", 3))
    assert said(ended(twin, start(twin))) == ("good", "good", "good")


def test_what_a_rolled_back_update_added_is_taken_up_by_the_next_one(twin: Twin, out: Path) -> None:
    added = {"MoreRole": role("lambda.amazonaws.com")}
    twin.updates.update(write(out, "bad", 2, **added))
    twin.updates.rollback()
    twin.updates.update(write(out, "good", 3, **added))
    assert said(ended(twin, start(twin))) == ("good", "good", "good")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Questions": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "other"}}}, "'Questions' .* differs"),
        ({"Table": {"Type": "AWS::SQS::Queue", "Properties": {}}}, r"'Table' \(AWS::SQS::Queue\) is new"),
        ({"SayLive": None}, r"'SayLive' \(AWS::Lambda::Alias\) is gone"),
    ],
)
def test_what_only_a_new_start_can_change_is_refused_and_nothing_is_changed(
    twin: Twin, out: Path, change: Json, message: str
) -> None:
    with pytest.raises(UpdateRefused, match=message):
        twin.updates.update(write(out, "new", 2, **change))
    assert said(ended(twin, start(twin))) == ("old", "old", "old")


def test_a_role_may_start_at_the_alias_it_is_granted_and_nowhere_else(twin: Twin) -> None:
    starter = next(arn for arn in twin.deployment.roles if "StarterRole" in arn)
    keys = twin.get_admin_client("sts").assume_role(RoleArn=starter, RoleSessionName="test")["Credentials"]
    connect: Any = boto3.client
    client = connect(
        "stepfunctions",
        endpoint_url=twin.aws_url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert client.start_execution(stateMachineArn=LIVE, input="{}")["executionArn"]
    for other in (MACHINE, f"{MACHINE}:1"):
        with pytest.raises(ClientError, match="not authorized to perform: states:StartExecution on resource"):
            client.start_execution(stateMachineArn=other, input="{}")


def test_a_running_twin_is_updated_and_rolled_back_over_http_by_the_administrator_only(
    twin: Twin, out: Path, tmp_path: Path
) -> None:
    write(out, "new", 2, preference=CANARY)
    facts = twin_file.read(tmp_path / ".pentad")
    assert facts is not None
    with httpx.Client(base_url=twin.aws_url, trust_env=False, timeout=30) as http:
        body = {"assembly": str(out), "hold": True}
        assert http.post("/_twin/update", json=body).status_code == 403
        http.headers["x-twin-key"] = facts["secret_access_key"]
        updated = http.post("/_twin/update", json=body).json()
        assert [one["shifted"] for one in updated["rollouts"]] == [20]
        assert http.post("/_twin/rollout", json={"action": "roll_back"}).json()["rollouts"] == []
        assert http.post("/_twin/rollout", json={"action": "dance"}).status_code == 400
        refused = http.post("/_twin/rollout", json={"action": "roll_back"})
        assert (refused.status_code, refused.json()["error"]) == (409, "there is no update to roll back")


def extra(name: str) -> Json:
    """What one more tool and an agent with a schedule are in a stack."""
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    own = {"Fn::GetAtt": ["ToolRole", "Arn"]}
    code = {"ZipFile": "def handler(event, context):\n    return event\n"}
    function = {"Code": code, "Handler": "index.handler", "Runtime": "python3.13", "Role": own}
    target = {"Arn": {"Fn::GetAtt": ["Questions", "Arn"]}, "RoleArn": own, "Input": "{}"}
    schedule = {"ScheduleExpression": "cron(0 8 1 JAN ? *)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    return {
        "ToolRole": role("lambda.amazonaws.com"),
        "Tool": {"Type": "AWS::Lambda::Function", "Properties": function | {"FunctionName": name}},
        "ToolVersion": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Tool"}}},
        "ToolMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": f"machine-{name}",
                "DefinitionString": json.dumps(definition),
                "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
            },
        },
        "ToolMachineVersion": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "Properties": {"StateMachineArn": {"Ref": "ToolMachine"}},
        },
        "ToolMachineLive": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "DeploymentPreference": {
                    "Type": "ALL_AT_ONCE",
                    "StateMachineVersionArn": {"Ref": "ToolMachineVersion"},
                },
            },
        },
        "ToolSchedule": {"Type": "AWS::Scheduler::Schedule", "Properties": schedule | {"Name": f"nightly-{name}"}},
    }


def schedules(twin: Twin) -> list[str]:
    return [one["Name"] for one in twin.get_admin_client("scheduler").list_schedules()["Schedules"]]


def test_a_tool_and_a_machine_that_are_taken_away_or_renamed_leave_all_data_where_they_are(
    twin: Twin, out: Path
) -> None:
    twin.updates.update(write(out, "more", 2, **extra("first")))
    assert schedules(twin) == ["nightly-first"]
    waiting = start(twin, waits=True)
    received = token(twin)
    twin.updates.update(write(out, "less", 3))
    # Its schedule fires no more; a run in flight still finds what it began with.
    assert schedules(twin) == []
    assert twin.get_admin_client("lambda").get_function(FunctionName="first")
    renamed = {f"New{key}": value for key, value in extra("second").items()}
    renamed = json.loads(json.dumps(renamed).replace('"Tool', '"NewTool'))
    twin.updates.update(write(out, "renamed", 4, **renamed))
    assert schedules(twin) == ["nightly-second"]
    twin.get_admin_client("stepfunctions").send_task_success(taskToken=received, output="{}")
    assert said(ended(twin, waiting)) == ("more", "more", "more")
    # The same again, under its former ids.
    twin.updates.update(write(out, "again", 5, **extra("first")))
    assert schedules(twin) == ["nightly-first"]
    assert said(ended(twin, start(twin))) == ("again", "again", "again")
