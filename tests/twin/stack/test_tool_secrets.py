"""A tool's secret on the twin: read by its own role, rotated in the middle of calls, and shown nowhere."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.twin.conftest import OwnProject
from tests.twin.graphs.span_lines import list_log_groups
from tests.twin.stack.world import Stack, Tenant, until, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

NAME = "pentad-dev/tools/wire"


@dataclass
class Office:
    """A server that takes telegrams with the right password, and repeats what it got."""

    accepted: str = ""
    logins: list[tuple[str, int]] = field(default_factory=list)


@pytest.fixture
def office(own: OwnProject) -> Iterator[Office]:
    made = Office()
    found = re.search(r"office: http://127\.0\.0\.1:(\d+)", (own.folder / "tools.yaml").read_text())
    assert found

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            header = self.headers["Authorization"]
            password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")[2]
            status = 200 if password == made.accepted else 401
            made.logins.append((password, status))
            echo = f"{body} of {header}, which is {password}".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(echo)))
            self.end_headers()
            self.wfile.write(echo)

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", int(found[1])), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join(5)


def send(stack: Stack, tenant: Tenant, text: str) -> dict[str, Any]:
    """Let the tool send a telegram in a run; return the call."""
    asked = {"name": "telegraph", "arguments": {"text": text}}
    stack.simulator.load_script({"reply": {"tool_calls": [asked]}}, {"reply": {"text": "Sent."}})
    view = tenant.ask(f"Send it ({word()}).", agent="telegrapher")
    [call] = tenant.events(view["run_id"], "tool_call")
    return dict(call)


def read_password(stack: Stack) -> str:
    text = stack.aws("secretsmanager").get_secret_value(SecretId=NAME)["SecretString"]
    return str(json.loads(text)["password"])


def list_forms(password: str) -> list[str]:
    login = base64.b64encode(f"ada:{password}".encode()).decode()
    return [password, login, json.dumps(password)[1:-1], password.encode().hex()]


def find_all_that_is_kept(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield every item, object and line of a log, with where it is."""
    dynamodb, s3, logs = stack.aws("dynamodb"), stack.aws("s3"), stack.aws("logs")
    for table in stack.tables:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            yield from ((table, repr(item)) for item in page["Items"])
    for bucket in s3.list_buckets()["Buckets"]:
        for one in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            content = s3.get_object(Bucket=bucket["Name"], Key=one["Key"])["Body"].read()
            yield f"{bucket['Name']}/{one['Key']}", content.decode("utf-8", "replace")
    for group in list_log_groups(logs):
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            yield from ((group, event["message"]) for event in page["events"])


def test_a_secret_is_rotated_between_calls_and_shown_nowhere(scripted: Stack, office: Office) -> None:
    stack, tenant = scripted, scripted.tenant()
    first = office.accepted = f"plain words {word()} of a password"
    secrets = stack.aws("secretsmanager")
    secrets.put_secret_value(SecretId=NAME, SecretString=json.dumps({"user": "ada", "password": first}))
    told = send(stack, tenant, "STOP")
    assert (told["status"], office.logins) == ("succeeded", [(first, 200)])
    result = json.loads(told["result"])
    assert result["with"] == "[masked]"
    assert result["told"] == '{"text": "STOP"} of Basic [masked], which is [masked]'
    failed = send(stack, tenant, "FAIL")
    assert (failed["status"], "nobody takes [masked] or [masked]" in failed["result"]) == ("failed", True)

    secrets.rotate_secret(SecretId=NAME)
    second = until(lambda: found if (found := read_password(stack)) != first else None, "a new password")
    office.accepted = second
    office.logins.clear()
    assert send(stack, tenant, "AGAIN")["status"] == "succeeded"
    # A process that has read the old one finds the new one in the same call.
    assert office.logins in ([(first, 401), (second, 200)], [(second, 200)])
    stages = secrets.describe_secret(SecretId=NAME)["VersionIdsToStages"].values()
    assert sorted(one for found in stages for one in found if one != "AWSPENDING") == ["AWSCURRENT", "AWSPREVIOUS"]

    def read_kept() -> list[tuple[str, str]] | None:
        found = list(find_all_that_is_kept(stack))
        refused = any("the office refused [masked]" in text for _, text in found)
        return found if refused or (first, 401) not in office.logins else None

    kept = until(read_kept, "the function's log")
    assert len({where for where, _ in kept}) > 5
    forms = [*list_forms(first), *list_forms(second)]
    assert [where for where, text in kept if any(form in text for form in forms)] == []
