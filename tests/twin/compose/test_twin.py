"""A twin of a small assembly: everything connected, two side by side, and nothing left when it stops."""

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from tests.twin.compose.small_assembly import write_small_assembly
from twin.running import state_file as twin_file
from twin.running.options import TwinOptions
from twin.running.state_file import TwinRunning
from twin.running.twin import Twin, TwinError

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("twin-compose")]

DEADLINE = 60.0
SECRETS = {"anthropic": {"api_key": "local", "base_url": "{models_url}"}}
T = TypeVar("T")


def until(probe: Callable[[], T | None]) -> T:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError("nothing happened before the deadline")


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_assembly(tmp_path_factory.mktemp("cdk.out"))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def twin(assembly: Path, state: Path) -> Iterator[Twin]:
    with Twin.start(assembly, state, options=TwinOptions(secrets=SECRETS, time_scale=0.01)) as started:
        yield started


def call(url: str, method: str, key: str | None, body: str | None = None) -> tuple[int, Any]:
    headers = {"authorization": key} if key else {}
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as connection:
        connection.request(method, "/notes", body=body, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def stored(twin: Twin) -> set[str]:
    items = twin.get_admin_client("dynamodb").scan(TableName=twin.outputs["small"]["Table"])["Items"]
    return {item["body"]["S"] for item in items}


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("unknown", 401), ("bad", 403), ("good", 200)])
def test_api_answers_through_its_authorizer(twin: Twin, key: str | None, status: int) -> None:
    assert twin.outputs["small"]["Url"] == twin.api_url
    assert call(twin.api_url, "GET", key)[0] == status


def test_request_becomes_a_message_that_the_worker_stores(twin: Twin) -> None:
    status, answer = call(twin.api_url, "POST", "good", "hello")
    assert (status, answer["caller"]) == (200, {"tenant": "t1"})
    until(lambda: "hello" in stored(twin))


def test_uploaded_object_reaches_the_worker_through_rule_and_queue(twin: Twin) -> None:
    twin.get_admin_client("s3").put_object(Bucket="small-documents", Key="a/b.md", Body=b"x")
    assert '"a/b.md"' in until(lambda: {one for one in stored(twin) if "a/b" in one})


def test_reported_failure_ends_in_the_dead_letter_queue(twin: Twin) -> None:
    sqs = twin.get_admin_client("sqs")
    sqs.send_message(QueueUrl=f"{twin.aws_url}/123456789012/small", MessageBody="poison")
    dead = f"{twin.aws_url}/123456789012/small-dead"
    [message] = until(lambda: sqs.receive_message(QueueUrl=dead).get("Messages"))
    assert message["Body"] == "poison"


def test_alarms_are_evaluated_and_tell_the_topics_that_let_cloudwatch_in(twin: Twin) -> None:
    cloudwatch, told = twin.get_admin_client("cloudwatch"), f"{twin.aws_url}/123456789012/small-told"

    def states() -> dict[str, str]:
        found = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return {one["AlarmName"]: one["StateValue"] for one in (*found["MetricAlarms"], *found["CompositeAlarms"])}

    twin.alarms.evaluate()
    assert states() == {"failures": "OK", "crashes": "OK", "both": "OK"}
    twin.host.invoke("small-measure", b'{"failures": 3}')
    twin.host.invoke("small-crash", b"{}")
    assert twin.flush_logs()
    twin.alarms.evaluate(time.time() + 60)
    assert states() == {"failures": "ALARM", "crashes": "ALARM", "both": "ALARM"}
    messages = twin.get_admin_client("sqs").receive_message(QueueUrl=told, MaxNumberOfMessages=10)["Messages"]
    [message] = [json.loads(json.loads(one["Body"])["Message"]) for one in messages]
    assert (message["AlarmName"], message["OldStateValue"], message["NewStateValue"]) == ("both", "OK", "ALARM")


def test_machine_runs_with_its_own_role(twin: Twin) -> None:
    states = twin.get_admin_client("stepfunctions")
    [arn] = twin.deployment.state_machines
    execution = states.start_execution(stateMachineArn=arn, input='{"value": 21}')["executionArn"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=execution)
        return None if found["status"] == "RUNNING" else found

    assert json.loads(until(ended)["output"]) == {"value": 42}


def test_function_without_the_right_is_denied(twin: Twin) -> None:
    result = twin.host.invoke("small-forbidden", b"{}")
    assert result.function_error is not None
    assert b"AccessDenied" in result.payload
    assert b"dynamodb:Scan" in result.payload


def test_failed_asynchronous_invocation_reaches_its_destination(twin: Twin) -> None:
    awslambda, sqs = twin.get_admin_client("lambda"), twin.get_admin_client("sqs")
    awslambda.invoke(FunctionName="small-crash", InvocationType="Event", Payload=b'{"n": 1}')
    failed = f"{twin.aws_url}/123456789012/small-failed"
    [message] = until(lambda: sqs.receive_message(QueueUrl=failed).get("Messages"))
    record = json.loads(message["Body"])
    assert record["requestPayload"] == {"n": 1}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorType"] == "RuntimeError"


def test_function_logs_reach_cloudwatch_logs(twin: Twin) -> None:
    twin.host.invoke("small-double", b'{"value": 1}')
    assert twin.flush_logs()
    logs = twin.get_admin_client("logs")

    def reported() -> bool:
        events = logs.filter_log_events(logGroupName="/aws/lambda/small-double")["events"]
        return any("REPORT RequestId" in event["message"] for event in events)

    until(reported)
    assert any(report.function == "small-double" for report in twin.list_reports())


def test_secret_points_to_the_simulator(twin: Twin) -> None:
    secret = twin.get_admin_client("secretsmanager").get_secret_value(SecretId="small/anthropic")["SecretString"]
    assert json.loads(secret) == {"api_key": "local", "base_url": twin.simulator_url}


def test_state_file_lets_others_find_the_twin(twin: Twin, state: Path) -> None:
    facts = twin_file.read(state)
    assert facts is not None
    assert facts["pid"] == os.getpid()
    assert facts["api_url"] == twin.api_url
    assert facts["access_key_id"]
    assert stat.S_IMODE((state / twin_file.NAME).stat().st_mode) == 0o600


def test_process_has_room_for_one_twin(twin: Twin, assembly: Path, tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="already"):
        Twin.start(assembly, tmp_path)
    assert twin_file.read(tmp_path) is None


def runner(assembly: Path, state: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "twin", "--assembly", str(assembly), "--state", str(state)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ready(process: subprocess.Popen[str], state: Path) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        assert process.poll() is None, process.communicate()
        facts = twin_file.read(state)
        return facts if facts is not None and facts.get("ready") else None

    return until(look)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_twins_live_side_by_side_and_leave_nothing(
    assembly: Path, twin: Twin, tmp_path: Path, number: signal.Signals
) -> None:
    process = runner(assembly, tmp_path)
    try:
        facts = ready(process, tmp_path)
        assert facts["api_url"] != twin.api_url
        assert call(facts["api_url"], "POST", "good", "mine")[0] == 200
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(number)
        process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    assert process.returncode == 0
    assert not (tmp_path / twin_file.NAME).exists()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert "mine" not in stored(twin)


def test_second_twin_in_one_state_folder_says_who_holds_it(assembly: Path, twin: Twin, state: Path) -> None:
    process = runner(assembly, state)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert f"process {os.getpid()}" in errors


def test_stale_state_file_is_replaced(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / twin_file.NAME).write_text(json.dumps({"pid": ended.pid}))
    twin_file.acquire(tmp_path)
    facts = twin_file.read(tmp_path)
    assert facts is not None
    assert facts["pid"] == os.getpid()
    with pytest.raises(TwinRunning):
        twin_file.acquire(tmp_path)
    twin_file.release(tmp_path)
    assert not (tmp_path / twin_file.NAME).exists()


def test_unreadable_assembly_is_explained(tmp_path: Path) -> None:
    process = runner(tmp_path, tmp_path / "state")
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "cdk synth" in errors
    assert not (tmp_path / "state" / twin_file.NAME).exists()
