"""`pentad feedback`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.client import ProblemError
from pentad.cli.commands.quality import feedback
from pentad.cli.main import app

Json = dict[str, Any]
RUN = "run_" + "1" * 26


def said(**changes: Any) -> Json:
    fields: Json = {
        "run_id": RUN, "agent": "assistant", "by": "ann", "citation": None, "verdict": "wrong",
        "correction": "It is [bold]5[/].", "comment": None, "changed_at": "2026-11-22T12:00:00Z",
    }  # fmt: skip
    return fields | changes


class Api:
    """The API's feedback."""

    def __init__(self) -> None:
        self.items = [said(), said(by="key:abc", verdict=None, correction=None, comment="hm", agent="other")]
        self.asked: list[tuple[str, str, Any]] = []

    def close(self) -> None:
        pass

    def call(self, method: str, path: str, *, body: Any = None) -> Json:
        self.asked.append((method, path, body))
        if RUN not in path:
            raise ProblemError(404, {"detail": "no such run", "field": "run"})
        return said(citation=body.get("citation")) if body else {"items": self.items}

    def iter_items(self, path: str, *, limit: int, **query: Any) -> Iterator[Json]:
        self.asked.append(("GET", path, query))
        yield from self.items[:limit]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    monkeypatch.setattr(feedback, "create_api_client", lambda: api)
    return api


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_what_is_given_is_sent_and_nothing_else(api: Api) -> None:
    shown = run("feedback", "give", RUN, "--score", "0", "--correction", "It is 5.", "--user", "ann")
    body = {"score": 0, "correction": "It is 5.", "user": "ann"}
    assert api.asked == [("POST", f"/v1/runs/{RUN}/feedback", body)]
    assert f"ann says of the answer of {RUN}: wrong" in shown
    assert "the citation k7f2qa" in run("feedback", "give", RUN, "--score", "0", "--citation", "k7f2qa")
    assert json.loads(run("--json", "feedback", "give", RUN, "--comment", "hm"))["by"] == "ann"


def test_what_says_nothing_or_is_no_score_is_wrong_use(api: Api) -> None:
    assert "give --score, --correction or --comment" in run("feedback", "give", RUN, code=2)
    run("feedback", "give", RUN, "--score", "2", code=2)
    assert api.asked == []


def test_a_run_that_is_not_there_is_told(api: Api) -> None:
    assert "no such run" in run("feedback", "give", "run_x", "--score", "1", code=1)


def test_feedback_is_listed_with_its_words_as_they_are(api: Api) -> None:
    shown = run("feedback", "list", "--agent", "assistant", "--verdict", "wrong")
    assert api.asked == [("GET", "/v1/feedback", {"agent": "assistant", "verdict": "wrong"})]
    assert "It is [bold]5[/]." in shown
    assert len(json.loads(run("--json", "feedback", "list"))) == 2
    assert "--verdict is one of: correct, wrong" in run("feedback", "list", "--verdict", "bad", code=2)


def test_feedback_of_one_run_is_listed_and_filtered(api: Api) -> None:
    assert [one["by"] for one in json.loads(run("--json", "feedback", "list", RUN, "--agent", "other"))] == ["key:abc"]
    assert api.asked == [("GET", f"/v1/runs/{RUN}/feedback", None)]
    api.items = []
    assert "No feedback yet." in run("feedback", "list", RUN)
