"""`pentad drill fallback` against a Lambda that is not ready at first."""

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from typer.testing import CliRunner

from pentad.cli import console, operator
from pentad.cli.commands.operations.drill import app
from pentad.cli.console import EXIT_FAILED, EXIT_UNAVAILABLE
from pentad.cli.target import STATE_FOLDER, TWIN_FILE

LINK = {"tier": "large", "link": 0, "provider": "anthropic", "model": "m", "ok": True}
Answer = tuple[int, str | None, object]


class Lambda:
    """What boto3's client is answered over HTTP: what it is told to, and then that of the last again and again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.urls: list[str | None] = []

    def send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.urls.append(request.url)
        status, code, said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        headers = HTTPHeaders.from_dict({"x-amzn-errortype": code} if code else {})
        return AWSResponse(str(request.url), status, headers, _Body(json.dumps(said).encode()))


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> list[bytes]:
        return [self.read()]


def fails(status: int, code: str) -> Answer:
    return status, code, {"Message": "not yet", "Type": "User"}


def answers(*, ok: bool = True) -> Answer:
    return 200, None, {"started_at": "2026-12-01T00:00:00Z", "links": [LINK | {"ok": ok}]}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """The Lambda of this folder's twin."""
    answering, create = Lambda(), operator.create_client

    def create_answered(*args: Any, **options: Any) -> Any:
        client = create(*args, **options)
        client.meta.events.register("before-send.lambda.Invoke", answering.send)
        return client

    facts = {"aws_url": "http://lambda.test", "region": "eu-central-1", "access_key_id": "x", "secret_access_key": "x"}
    folder = tmp_path / STATE_FOLDER
    folder.mkdir()
    (folder / TWIN_FILE).write_text(json.dumps(facts), encoding="utf-8")
    monkeypatch.setattr("pentad.cli.target.state_folder", lambda: folder)
    monkeypatch.setattr(operator, "create_client", create_answered)
    monkeypatch.setattr(console.OPTIONS, "json", False)
    return answering


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that were made, in no time."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "SnapStartNotReadyException"),
        (408, "SnapStartTimeoutException"),
        (400, "SnapStartException"),
        (429, "TooManyRequestsException"),
    ],
)
@pytest.mark.parametrize("times", [1, 5])
def test_a_gateway_that_is_not_ready_is_waited_for(
    served: Lambda, waits: list[float], status: int, code: str, times: int
) -> None:
    served.answers = [*[fails(status, code)] * times, answers()]
    done = CliRunner().invoke(app, ["fallback"])
    assert (done.exit_code, len(served.urls), len(waits)) == (0, times + 1, times), done.output
    assert done.stdout.endswith("1 of 1 link answers\n")
    assert done.stderr.count("the gateway is not ready yet") == times
    assert set(served.urls) == {"http://lambda.test/2015-03-31/functions/pentad-dev-gateway%3Alive/invocations"}


def test_a_gateway_that_is_never_ready_is_told_after_a_bounded_time(served: Lambda, waits: list[float]) -> None:
    served.answers = [fails(409, "SnapStartNotReadyException")]
    done = CliRunner().invoke(app, ["fallback"])
    assert done.exit_code == EXIT_UNAVAILABLE
    assert "SnapStartNotReadyException" in done.stderr
    assert len(served.urls) < 30
    assert 120 < sum(waits) < 400


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDeniedException"), (404, "ResourceNotFoundException")])
def test_another_error_is_told_at_once(served: Lambda, waits: list[float], status: int, code: str) -> None:
    served.answers = [fails(status, code)]
    done = CliRunner().invoke(app, ["fallback"])
    assert (done.exit_code, len(served.urls), waits) == (EXIT_UNAVAILABLE, 1, [])
    assert code in done.stderr


def test_a_link_that_does_not_answer_fails_the_drill(served: Lambda) -> None:
    served.answers = [answers(ok=False)]
    done = CliRunner().invoke(app, ["fallback"])
    assert (done.exit_code, "0 of 1 link answers" in done.stdout) == (EXIT_FAILED, True)
