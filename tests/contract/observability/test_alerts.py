"""Alerts to servers that answer as Slack's, Teams' and a pager's do, by the stack's own HTTP client; and their log."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.sent_items import CLAIM_SECONDS
from pentad.aws.table import Table
from pentad.domain.errors import (
    ConfigurationError,
    InvalidInput,
    PentadError,
    StoreUnavailable,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.alerts.adapters.alert_log import DynamoAlerts, MemoryAlerts
from pentad.observability.alerts.ports import AlertLog
from pentad.observability.alerts.send import SendAlert
from pentad.observability.alerts.targets import AlertTarget
from pentad.tools.egress.adapters.resolver_system import SystemResolver
from pentad.tools.egress.adapters.wire_httpcore import HttpcoreWire
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.client import EgressClient
from tests.moto_clients import table
from tests.unit.observability.alerts.test_alert import CHANGE, envelope

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
SLACK, TEAMS = AlertTarget(name="team", kind="slack"), AlertTarget(name="office", kind="teams")
THROTTLED_BEHIND = (
    b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId "
    b"tcid=0,server=DB3PEPF0000009A,cv=deadbeef.0.."
)


class Chats:
    """Slack, Teams and a pager at once: what they answer is set, what they were sent is kept."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Mapping[str, str], dict[str, Any]]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        chats = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                chats.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                status, headers, content = chats.answers.pop(0) if chats.answers else chats.judge(self.path, body)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @staticmethod
    def judge(path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """What each service says to a body: it refuses what is not in its form."""
        if path.startswith("/services/"):
            return (200, {}, b"ok") if isinstance(body.get("text"), str) else (400, {}, b"invalid_payload")
        if path.startswith("/workflows/"):
            cards = [one for one in body.get("attachments", []) if one["content"]["type"] == "AdaptiveCard"]
            return (202, {}, b"") if body.get("type") == "message" and cards else (400, {}, b"bad request")
        return 200, {}, b'{"status": "success"}'


@pytest.fixture
def chats() -> Iterator[Chats]:
    made = Chats()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Kept:
    """The secret of alerts, with how often it was to be read anew."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.forgotten = 0

    def get_json(self, secret_id: str) -> Mapping[str, Any]:
        assert secret_id == "the-secret"
        return self.values

    def forget(self, secret_id: str) -> None:
        self.forgotten += 1


class Teller:
    """What tells alerts, over the real client, which may also reach this machine's servers."""

    def __init__(self, chats: Chats, *targets: AlertTarget, local: bool = True, **addresses: Any) -> None:
        self.telemetry = MemoryTelemetry()
        self.secrets = Kept(
            {"team": f"{chats.url}/services/T/B/x", "office": f"{chats.url}/workflows/w", "unused": "x"} | addresses
        )
        self.clock = NOW
        self.log = MemoryAlerts(now=lambda: self.clock)
        own = (chats.url,) if local else ()

        def make_client(hosts: Sequence[str]) -> EgressClient:
            return EgressClient(Allowlist((*hosts, *own)), resolver=SystemResolver(), wire=HttpcoreWire())

        self.send = SendAlert(
            {"page": targets, "ticket": ()},
            make_client,
            self.secrets,
            "the-secret",
            self.log,
            self.telemetry,
            link="https://example.com/files/",
        )

    @property
    def counted(self) -> list[tuple[str, str]]:
        return [(one.dimensions["kind"], one.dimensions["outcome"]) for one in self.telemetry.counts]


def test_each_target_gets_an_alert_in_its_own_form(chats: Chats) -> None:
    pager = AlertTarget(name="pager", kind="webhook", host=chats.url.removeprefix("http://"))
    address = {"url": f"{chats.url}/v2/enqueue", "headers": {"Authorization": "Token abc"}}
    teller = Teller(chats, SLACK, TEAMS, pager, pager=address)
    teller.send(envelope(CHANGE))
    (slack, _, text), (teams, _, card), (webhook, headers, fields) = chats.got
    assert (slack, teams, webhook) == ("/services/T/B/x", "/workflows/w", "/v2/enqueue")
    runbook = "https://example.com/files/docs/runbooks/models-unreachable.md"
    assert f"Runbook: {runbook}" in text["text"] and "[page] ALARM: pentad-prod-page-models" in text["text"]
    assert card["attachments"][0]["content"]["actions"][0]["url"] == runbook
    assert (headers["authorization"], headers["idempotency-key"]) == ("Token abc", fields["id"])
    assert teller.counted == [("slack", "sent"), ("teams", "sent"), ("webhook", "sent")]


def test_a_message_that_is_delivered_again_pages_once(chats: Chats) -> None:
    teller = Teller(chats, SLACK)
    for number in range(3):
        teller.send(envelope(CHANGE, MessageId=f"m-{number}"))
    assert len(chats.got) == 1
    teller.send(envelope(CHANGE | {"NewStateValue": "OK", "OldStateValue": "ALARM"}))
    assert len(chats.got) == 2


def test_a_target_that_fails_keeps_no_other_from_being_told_and_is_asked_again_alone(chats: Chats) -> None:
    teller = Teller(chats, SLACK, TEAMS)
    chats.answers = [(503, {}, b"")]
    with pytest.raises(ToolUnavailable):
        teller.send(envelope(CHANGE))
    assert [path for path, _, _ in chats.got] == ["/services/T/B/x", "/workflows/w"]
    teller.send(envelope(CHANGE))
    assert [path for path, _, _ in chats.got[2:]] == ["/services/T/B/x"]


@pytest.mark.parametrize(
    ("target", "answer", "error"),
    [
        (SLACK, (429, {"retry-after": "30"}, b"rate_limited"), ToolThrottled),
        (SLACK, (500, {}, b"rollup_error"), ToolUnavailable),
        (SLACK, (400, {}, b"invalid_payload"), ConfigurationError),
        (SLACK, (403, {}, b"action_prohibited"), ConfigurationError),
        (SLACK, (404, {}, b"no_service"), ConfigurationError),
        (SLACK, (410, {}, b"channel_is_archived"), ConfigurationError),
        (SLACK, (302, {"location": "https://evil.example/x"}, b""), ConfigurationError),
        (TEAMS, (429, {}, b""), ToolThrottled),
        (TEAMS, (200, {}, THROTTLED_BEHIND), ToolThrottled),
        (TEAMS, (200, {}, THROTTLED_BEHIND.replace(b"429", b"413")), ConfigurationError),
        (TEAMS, (200, {}, b"Webhook message delivery failed with error: Microsoft Teams endpoint"), ToolUnavailable),
        (TEAMS, (401, {}, b'{"error":{"code":"DirectApiAuthorizationRequired"}}'), ConfigurationError),
        (TEAMS, (504, {}, b""), ToolUnavailable),
    ],
)
def test_what_a_service_refuses_is_asked_once_and_told_without_its_address(
    chats: Chats, target: AlertTarget, answer: tuple[int, dict[str, str], bytes], error: type[PentadError]
) -> None:
    teller = Teller(chats, target)
    chats.answers = [answer]
    with pytest.raises(error) as raised:
        teller.send(envelope(CHANGE))
    assert len(chats.got) == 1, "who asks again is the queue"
    said = f"{raised.value.message} {raised.value.fix} {teller.telemetry.events}"
    assert "services/T" not in said and "workflows/w" not in said and "127.0.0.1" not in said
    assert teller.secrets.forgotten == (1 if error is ConfigurationError else 0)
    if error is ToolThrottled and answer[1]:
        assert raised.value.retry_after == 30  # type: ignore[attr-defined]
    teller.send(envelope(CHANGE))
    assert (len(chats.got), teller.counted[-1][1]) == (2, "sent")


def test_teams_own_word_for_success_is_no_failure(chats: Chats) -> None:
    chats.answers = [(200, {}, b"1")]
    teller = Teller(chats, TEAMS)
    teller.send(envelope(CHANGE))
    assert teller.counted == [("teams", "sent")]


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        7,
        "no address",
        "ftp://hooks.slack.com/x",
        "https://evil.example/services/T",
        "http://169.254.169.254/",
    ],
)
def test_an_address_at_another_host_is_not_asked(chats: Chats, address: Any) -> None:
    teller = Teller(chats, SLACK, local=False, team=address)
    with pytest.raises(ConfigurationError):
        teller.send(envelope(CHANGE))
    assert (chats.got, teller.counted, teller.secrets.forgotten) == ([], [("slack", "failed")], 1)


def test_a_server_that_is_not_there_is_asked_again_later(chats: Chats) -> None:
    host = "127.0.0.1:9"
    teller = Teller(chats, AlertTarget(name="pager", kind="webhook", host=host), SLACK, pager=f"http://{host}/x")
    with pytest.raises(ToolUnavailable):
        teller.send(envelope(CHANGE))
    assert len(chats.got) == 1, "the other one is told"


def test_a_severity_without_a_target_tells_nobody_and_what_is_no_message_is_refused(chats: Chats) -> None:
    teller = Teller(chats, SLACK)
    teller.send(envelope(CHANGE, topic="tickets"))
    with pytest.raises(InvalidInput):
        teller.send("{}")
    assert chats.got == []


# -- the log of what was sent


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=["memory", "dynamodb"])
def world(request: pytest.FixtureRequest) -> Iterator[tuple[AlertLog, Clock]]:
    clock = Clock()
    if request.param == "memory":
        yield MemoryAlerts(now=clock), clock
        return
    with mock_aws():
        yield DynamoAlerts(Table(table("transient"), "transient"), now=clock), clock


def test_an_alert_that_was_sent_is_not_claimed_again(world: tuple[AlertLog, Clock]) -> None:
    log, clock = world
    assert log.acquire("a", "team")
    log.mark_sent("a", "team")
    clock.now += timedelta(days=1)
    assert not log.acquire("a", "team")
    assert log.acquire("a", "office") and log.acquire("b", "team")


def test_a_claim_holds_others_off_until_it_is_given_back_or_runs_out(world: tuple[AlertLog, Clock]) -> None:
    log, clock = world
    assert log.acquire("a", "team")
    with pytest.raises(StoreUnavailable):
        log.acquire("a", "team")
    log.release("a", "team")
    assert log.acquire("a", "team")
    clock.now += timedelta(seconds=CLAIM_SECONDS)
    assert log.acquire("a", "team"), "its instance has died"
