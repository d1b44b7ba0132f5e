"""`pentad forget`: a user is erased after a yes, the receipt is shown, and a second look takes it."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.commands import forget
from pentad.cli.main import app

Json = dict[str, Any]
PATH = "/v1/users/sam%40example.com"
RECEIPT = f"{PATH}/erasures/era_1"


class Api:
    """The API's erasure of one user."""

    def __init__(self, *later: Json) -> None:
        self.later = list(later)
        self.asked: list[tuple[str, str]] = []

    def call(self, method: str, path: str, *, body: Any = None) -> Json:
        self.asked.append((method, path))
        receipt = {"erasure": "era_1", "status": "running", "removed": {"runs": 2}, "left": {}, "open_run": None}
        return receipt | (self.later.pop(0) if method == "GET" and self.later else {})


def run(monkeypatch: pytest.MonkeyPatch, api: Api, *arguments: str, code: int = 0, before: tuple[str, ...] = ()) -> str:
    monkeypatch.setattr(forget, "create_api_client", lambda: api)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*before, "forget", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_a_user_is_erased_and_the_receipt_says_what_went(monkeypatch: pytest.MonkeyPatch) -> None:
    stays = [{"what": "backups of tables", "until": "backup_days"}]
    api = Api({}, {"status": "done", "removed": {"runs": 12}, "stays": stays})
    shown = run(monkeypatch, api, "sam@example.com", "--yes")
    assert api.asked == [("DELETE", PATH), ("GET", RECEIPT), ("GET", RECEIPT)]
    assert "receipt: sam@example.com/era_1" in shown
    assert "12" in shown
    assert "backups of tables: backup_days" in shown


def test_without_a_yes_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    run(monkeypatch, api, "sam@example.com", code=2)
    assert api.asked == []


def test_a_receipt_is_verified_and_what_is_left_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api({"status": "incomplete", "left": {"documents": 3}})
    shown = run(monkeypatch, api, "verify", "sam@example.com/era_1", code=1)
    assert api.asked == [("POST", RECEIPT), ("GET", RECEIPT)]
    assert "documents" in shown
    for arguments in (["verify"], ["verify", "era_1"], ["sam@example.com", "era_1"]):
        run(monkeypatch, api, *arguments, "--yes", code=2)
    assert len(api.asked) == 2


def test_a_refusal_names_the_run_and_one_that_is_slow_is_not_taken_for_done(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Api({"status": "refused", "open_run": "run_7"})
    assert "run_7" in run(monkeypatch, refused, "sam@example.com", "--yes", code=1)
    assert "still running" in run(monkeypatch, Api(), "sam@example.com", "--yes", "--wait", "4", code=1)


def test_as_json_it_is_the_receipt_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run(monkeypatch, Api({"status": "done"}), "sam@example.com", "--yes", before=("--json",))
    printed = json.loads(shown)
    assert (printed["receipt"], printed["status"]) == ("sam@example.com/era_1", "done")
