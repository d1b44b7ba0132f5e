"""What is asked before a decision is sent: a confirmation while it is open, and nothing where it is decided."""

from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli import console
from pentad.cli.client import ProblemError
from pentad.cli.commands.humans import approvals
from pentad.cli.main import app
from tests.unit.cli.test_show import make_view

Json = dict[str, Any]


class Api:
    """The API's one approval; what is decided can't be decided otherwise."""

    def __init__(self) -> None:
        call = {"index": 0, "tool": "notes", "arguments": {"text": "a"}}
        decided = {"decided_by": "ann", "decided_at": None, "reason": None}
        self.view: Json = make_view(call) | {"arguments_hash": "h", **decided}
        self.sent: list[Json] = []

    def close(self) -> None:
        pass

    def call(self, method: str, path: str, *, body: Json | None = None) -> Json:
        if body is None:
            return self.view
        self.sent.append(body)
        wanted = {"approve": "approved", "reject": "rejected"}[body["decision"]]
        if self.view["status"] not in ("pending", wanted):
            raise ProblemError(409, {"detail": f"the approval is already {self.view['status']}", "field": "approval"})
        self.view = self.view | {"status": wanted}
        return self.view


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(approvals, "create_api_client", lambda: made)
    return made


def run(*arguments: str, typed: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, [*arguments], input=typed)
    return done.exit_code, done.output


def test_what_is_open_is_decided_once_it_is_confirmed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(approvals, "confirm", asked.append)
    code, shown = run("approve", "apr_1")
    assert (code, asked, "apr_1 is approved" in shown) == (0, ["approve?"], True)
    assert api.sent == [{"decision": "approve", "arguments_hash": "h"}]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_what_nobody_can_be_asked_about_is_not_decided(
    api: Api, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.OPTIONS, "json", False)
    code, shown = run("approve", "apr_1", *options, typed="y\n")
    assert (code, api.sent) == (2, [])
    assert "pass --yes" in shown
    code, shown = run("approve", "apr_1", *options, "--yes")
    assert (code, len(api.sent)) == (0, 1)


def test_what_is_decided_is_refused_without_a_question(api: Api) -> None:
    api.view["status"] = "approved"
    code, shown = run("reject", "apr_1", "--reason", "no")
    assert (code, "[y/N]" in shown) == (1, False)
    assert "409: the approval is already approved" in shown


def test_what_is_decided_just_so_is_told_without_a_question(api: Api) -> None:
    api.view["status"] = "rejected"
    code, shown = run("reject", "apr_1", "--reason", "no")
    assert (code, "[y/N]" in shown, "apr_1 is rejected" in shown) == (0, False, True)
