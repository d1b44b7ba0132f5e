"""``pentad undo``: as many requests as it takes, what was refused once more, and an exit code that tells what stays."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.commands.humans import undo
from pentad.cli.main import app

Json = dict[str, Any]
RUN = "run_" + "0" * 26


def make_effect(step: int, outcome: str, reason: str | None = None) -> Json:
    return {
        "run_id": RUN,
        "agent": "helper",
        "step": step,
        "index": 0,
        "tool": "append",
        "kind": "reversible",
        "at": "2026-11-30T07:00:00Z",
        "outcome": outcome,
        "reason": reason,
        "undo_token": None,
    }


class Api:
    """Answers pages in turn."""

    def __init__(self, *pages: tuple[list[Json], str | None, str | None]) -> None:
        self.pages = list(pages)
        self.asked: list[tuple[str, Json | None]] = []

    def close(self) -> None:
        pass

    def call(self, method: str, path: str, *, body: Json | None = None) -> Json:
        assert path == f"/v1/runs/{RUN}/undo"
        self.asked.append((method, body))
        effects, after, stopped = self.pages.pop(0)
        return {"run_id": RUN, "effects": effects, "after": after, "stopped": stopped}


def run(monkeypatch: pytest.MonkeyPatch, api: Api, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(undo, "create_api_client", lambda: api)
    done = CliRunner().invoke(app, [*arguments, "undo", RUN] if "--json" in arguments else ["undo", RUN, *arguments])
    return done.exit_code, done.output


def test_it_goes_on_until_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(
        ([make_effect(3, "undone")], "p3", None),
        ([make_effect(2, "undone")], "p2", None),
        ([make_effect(1, "undone")], None, None),
    )
    code, output = run(monkeypatch, api, "--json")
    assert (code, [one["step"] for one in json.loads(output)["effects"]]) == (0, [3, 2, 1])
    assert [body for _, body in api.asked] == [
        {"stop": False},
        {"stop": False, "after": "p3"},
        {"stop": False, "after": "p2"},
    ]


def test_a_dry_run_asks_for_the_plan_and_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(([make_effect(2, "to_undo"), make_effect(1, "irreversible", "no undo")], None, None))
    code, output = run(monkeypatch, api, "--dry-run")
    assert (code, api.asked) == (0, [("GET", None)])
    assert "would be undone" in output and "no undo" in output


def test_what_was_refused_is_tried_again_once_something_else_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = make_effect(2, "refused", "changed since")
    api = Api(
        ([refused, make_effect(1, "undone")], None, None),
        ([make_effect(2, "undone"), make_effect(1, "already_undone")], None, None),
    )
    code, output = run(monkeypatch, api, "--json")
    assert (code, [one["outcome"] for one in json.loads(output)["effects"]]) == (0, ["undone", "undone"])
    api = Api(([refused], None, None))
    assert run(monkeypatch, api)[0] == 1


@pytest.mark.parametrize("outcome", ["irreversible", "failed", "unknown", "call_failed", "not_allowed"])
def test_the_exit_code_tells_that_something_stays(monkeypatch: pytest.MonkeyPatch, outcome: str) -> None:
    code, output = run(monkeypatch, Api(([make_effect(1, outcome, "because of this")], None, None)))
    assert code == 1
    assert "because of this" in output


def test_what_stops_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = "it could not be undone: append of step 2"
    api = Api(([make_effect(2, "refused")], "p2", stopped))
    code, output = run(monkeypatch, api, "--stop")
    assert (code, api.asked) == (1, [("POST", {"stop": True})])
    assert stopped in output


def test_a_run_without_effects_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, Api(([], None, None)))
    assert code == 0
    assert "has no effect" in output
