"""`pentad memory`: what is listed, shown, edited and forgotten."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.client import ProblemError
from pentad.cli.commands import memory
from pentad.cli.main import app

Json = dict[str, Any]
PATH = "/v1/memory/sam%40example.com"


def fact(**changes: Any) -> Json:
    said = {"session": "s-1", "seq": 2, "start": 0, "end": 14, "quote": "I live in [Bonn]"}
    fields: Json = {
        "fact": "fact_1", "kind": "fact", "subject": "home", "text": "The user lives in [bold]Bonn[/].",
        "current": True, "doubt": None, "evidence": [said], "valid_from": "2026-11-02T09:00:00Z",
        "invalid_from": None, "expires_at": None, "source": "user",
    }  # fmt: skip
    return fields | changes


class Api:
    """The API's memory of one user."""

    def __init__(self) -> None:
        self.facts = [fact(), fact(fact="fact_2", current=False, invalid_from="2026-11-03T09:00:00Z", doubt="why")]
        self.asked: list[tuple[str, str, Any]] = []

    def call(self, method: str, path: str, *, body: Any = None) -> Json:
        self.asked.append((method, path, body))
        if path != f"{PATH}/facts/fact_1":
            raise ProblemError(404, {"detail": "no such fact", "field": "fact"})
        if method == "DELETE":
            return {"facts": ["fact_1", "fact_0"]}
        return fact(**(body or {}))

    def iter_items(self, path: str, *, limit: int, **parameters: Any) -> Iterator[Json]:
        self.asked.append(("GET", path, parameters))
        if path.endswith("/decisions"):
            decision = {"outcome": "refused", "reason": "a question", "text": "Who?", "seq": 1}
            yield {"session": "s-1", "notes": ["a note"], "decisions": [decision]}
        else:
            yield from self.facts[:limit]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    monkeypatch.setattr(memory, "create_api_client", lambda: api)
    return api


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_facts_are_listed_with_what_ended_and_what_is_doubtful(api: Api) -> None:
    shown = run("memory", "list", "--user", "sam@example.com", "--history")
    assert "The user lives in [bold]Bonn[/]." in shown
    assert "(until 2026-11-03) (doubtful: why)" in shown
    assert api.asked == [("GET", PATH, {"history": "true"})]


def test_a_list_is_json_on_request(api: Api) -> None:
    assert json.loads(run("--json", "memory", "list", "--user", "sam@example.com")) == api.facts


def test_a_fact_is_shown_with_its_evidence_and_without_one_the_gates_decisions(api: Api) -> None:
    shown = run("memory", "show", "fact_1", "--user", "sam@example.com")
    assert "s-1 #2: I live in [Bonn]" in shown
    decided = run("memory", "show", "--user", "sam@example.com")
    assert "a question" in decided
    assert "a note" in decided


def test_an_edit_sends_text_and_the_end_of_the_day(api: Api) -> None:
    user = ("--user", "sam@example.com")
    run("memory", "edit", "fact_1", *user, "--text", "The user lives in Kiel.", "--expires", "2027-01-31")
    body = {"text": "The user lives in Kiel.", "expires_at": "2027-01-31T23:59:59+00:00"}
    assert api.asked == [("PATCH", f"{PATH}/facts/fact_1", body)]
    run("memory", "edit", "fact_1", *user, code=2)
    run("memory", "edit", "fact_1", *user, "--expires", "soon", code=2)


def test_forgetting_shows_what_it_forgets_and_an_unknown_fact_is_an_error(api: Api) -> None:
    assert "fact_1, fact_0: forgotten" in run("memory", "forget", "fact_1", "--user", "sam@example.com", "--yes")
    run("memory", "forget", "fact_9", "--user", "sam@example.com", "--yes", code=1)
    assert [method for method, _, _ in api.asked] == ["GET", "DELETE", "GET"]


def test_what_was_said_in_place_of_a_forgotten_fact_is_named(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.call = lambda method, path, *, body=None: (  # type: ignore[method-assign]
        {"facts": ["fact_1"]} if method == "DELETE" else fact(current=False, superseded_by="fact_2")
    )
    shown = run("memory", "forget", "fact_1", "--user", "sam@example.com", "--yes")
    assert "fact_1: forgotten" in shown
    assert "'fact_2' was said in its place and is still remembered" in shown


def test_the_end_of_a_fact_is_shown(api: Api) -> None:
    shown = run("memory", "edit", "fact_1", "--user", "sam@example.com", "--expires", "2027-01-31")
    assert "expires 2027-01-31" in shown
