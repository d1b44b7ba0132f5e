"""One alarm's whole way: its state, the topic, the queue, the function, and the webhook that pages."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.twin.conftest import OwnProject
from tests.twin.stack.own_project import PAGER
from tests.twin.stack.world import until

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]
ALARM = "pentad-dev-page-models"


@pytest.fixture
def pages(own: OwnProject) -> Iterator[list[dict[str, Any]]]:
    """What the pager was sent."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    host, _, port = (own.folder / PAGER).read_text().partition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    address = json.dumps({"pager": f"http://{host}:{port}/enqueue"})
    own.stack.aws("secretsmanager").put_secret_value(SecretId="pentad-dev/alerts", SecretString=address)
    # A message that meets another one of its alarm is back after this time.
    sqs = own.stack.aws("sqs")
    url = sqs.get_queue_url(QueueName="pentad-dev-alerts")["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    yield got
    sqs.set_queue_attributes(QueueUrl=url, Attributes=told)
    server.shutdown()
    thread.join()
    server.server_close()


def count_messages(own: OwnProject) -> int:
    """Return how many messages wait in the queue of alerts, or are worked on."""
    sqs = own.stack.aws("sqs")
    url = sqs.get_queue_url(QueueName="pentad-dev-alerts")["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def test_an_alarm_pages_once_and_tells_of_its_end(own: OwnProject, pages: list[dict[str, Any]]) -> None:
    cloudwatch, sns = own.stack.aws("cloudwatch"), own.stack.aws("sns")

    def told(state: str) -> list[dict[str, Any]]:
        return [one for one in list(pages) if (one["name"], one["state"]) == (ALARM, state)]

    # An alarm that nothing was evaluated of yet has no state that it could leave.
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="begin")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="tried by hand")
    [page] = until(lambda: told("ALARM"), "the page")
    assert (page["severity"], page["was"], page["reason"]) == ("page", "OK", "tried by hand")
    assert page["runbook"] == "https://example.com/files/docs/runbooks/models-unreachable.md"
    # SNS may deliver a message twice.
    [topic] = [one["TopicArn"] for one in sns.list_topics()["Topics"] if one["TopicArn"].endswith("-pages")]
    change = {
        "AlarmName": ALARM,
        "AlarmArn": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{ALARM}",
        "NewStateValue": "ALARM",
        "NewStateReason": "told twice",
        "StateChangeTime": "2026-01-01T00:00:00.000+0000",
    }
    for _ in range(3):
        sns.publish(TopicArn=topic, Message=json.dumps(change))
    until(lambda: [one for one in told("ALARM") if one["reason"] == "told twice"], "the message")
    until(lambda: not count_messages(own), "the queue to be empty")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="over")
    until(lambda: told("OK"), "the end")
    assert [one["reason"] for one in told("ALARM")].count("told twice") == 1
