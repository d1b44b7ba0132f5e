"""The twin runs an app that is not Pentad, as `twin/README.md` says: `python -m twin --assembly DIR`."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import psutil
import pytest

from tests.twin.strangers import list_readable, needs_root, talk_as_other_user
from twin.running import state_file

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("twin-foreign")]

SECONDS = 120.0


@pytest.fixture(scope="module")
def facts(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Synthesize the app, run it, and return what the twin says of itself."""
    out, state = tmp_path_factory.mktemp("cdk.out"), tmp_path_factory.mktemp("state")
    environment = os.environ | {"PYTHONPATH": str(root)}
    synth = [sys.executable, "-m", "tests.twin.foreign_app.app"]
    subprocess.run(synth, cwd=root, env=environment | {"CDK_OUTDIR": str(out)}, check=True, timeout=SECONDS)
    command = [sys.executable, "-m", "twin", "--assembly", str(out), "--state", str(state)]
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield read_facts(process, state) | {"state": state}
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def read_facts(process: "subprocess.Popen[bytes]", state: Path) -> dict[str, Any]:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        found = state_file.read(state)
        if found is not None and found.get("ready"):
            return found
        time.sleep(0.05)
    raise AssertionError("the twin did not start")


def connect(facts: dict[str, Any], service: str) -> Any:
    make: Any = boto3.client  # its type has an overload for each service
    return make(
        service,
        endpoint_url=facts["aws_url"],
        region_name=facts["region"],
        aws_access_key_id=facts["access_key_id"],
        aws_secret_access_key=facts["secret_access_key"],
    )


def test_an_order_goes_through_the_api_the_state_machine_the_table_and_the_queue(facts: dict[str, Any]) -> None:
    outputs = facts["outputs"]["shop"]
    assert outputs["Url"] == facts["api_url"]
    reply = httpx.post(f"{facts['api_url']}/orders", json={"id": "o1", "article": "a chair"}, timeout=30)
    assert reply.status_code == 202
    queue = connect(facts, "sqs")
    message = queue.receive_message(QueueUrl=outputs["Queue"], WaitTimeSeconds=20)["Messages"][0]
    assert message["Body"] == "o1"
    item = connect(facts, "dynamodb").get_item(TableName=outputs["Table"], Key={"id": {"S": "o1"}})["Item"]
    assert item["article"] == {"S": "a chair"}
    machines = connect(facts, "stepfunctions")
    described = machines.describe_execution(executionArn=reply.json()["execution"])
    assert described["status"] in ("RUNNING", "SUCCEEDED")


def test_without_options_there_is_no_vector_index(facts: dict[str, Any]) -> None:
    assert facts["vectors_url"] is None


def list_ports(pid: int) -> set[int]:
    """Return the ports at which a process and its children listen."""
    whole = psutil.Process(pid)
    connections = [one for process in (whole, *whole.children(recursive=True)) for one in process.net_connections()]
    listening = [one.laddr for one in connections if one.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    return {address.port for address in listening}


@needs_root
def test_no_socket_of_the_twin_answers_another_user(facts: dict[str, Any]) -> None:
    """Whatever listens, the Runtime APIs of functions included: they look at a stranger when they are called next."""
    request = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    order = {"id": "o2", "article": "a table"}
    assert httpx.post(f"{facts['api_url']}/orders", json=order, timeout=30).status_code == 202
    ports = list_ports(facts["pid"])
    assert len(ports) >= 4  # the AWS endpoint, the API, the simulator, the function
    served = {urlsplit(facts[name]).port for name in ("aws_url", "api_url", "simulator_url")}
    for port in served:
        assert talk_as_other_user(port or 0, request).startswith(b"HTTP/1.1 403 ")
    answers: list[bytes] = []
    for port in ports - served:
        asking = threading.Thread(target=lambda p: answers.append(talk_as_other_user(p, request)), args=(port,))
        asking.start()
        while asking.is_alive():
            reply = httpx.post(f"{facts['api_url']}/orders", json=order | {"id": f"o{time.time_ns()}"}, timeout=30)
            assert reply.status_code == 202
        asking.join()
    assert len(answers) == len(ports - served)
    assert all(answer.startswith((b"HTTP/1.1 403 ", b"failed: ConnectionReset")) for answer in answers)


def test_what_the_twin_writes_is_its_users_own(facts: dict[str, Any]) -> None:
    state: Path = facts["state"]
    assert (state / "twin.json").is_file()
    assert [one for one in list_readable(state) if "/functions/" not in one] == []
    # Functions write with their own modes, into a folder that nobody else can enter.
    assert (state / "functions").stat().st_mode & 0o777 == 0o700
