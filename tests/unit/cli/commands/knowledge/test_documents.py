"""`pentad documents`: what is listed, what is shown, and when a document is said to be deleted."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.client import ProblemError
from pentad.cli.commands.knowledge import documents
from pentad.cli.main import app

Json = dict[str, Any]


class Api:
    """The API's documents; a deleted one is gone at the second look."""

    def __init__(self) -> None:
        self.entries = {name: entry(name, status) for name, status in (("a.md", "indexed"), ("b.pdf", "failed"))}
        self.entries["old.md"] = entry("old.md", "deleted")
        self.asked: list[tuple[str, str]] = []

    def call(self, method: str, path: str) -> Json:
        self.asked.append((method, path))
        name = path.removeprefix("/v1/documents/")
        found = self.entries.get(name)
        if found is None:
            raise ProblemError(404, {"detail": "no such document", "field": "name"})
        if method == "DELETE":
            self.entries[name] = found | {"status": "deleting"}
        elif found["status"] == "deleting":
            self.entries[name] = found | {"status": "deleted"}
        return found

    def iter_items(self, path: str, *, limit: int) -> Iterator[Json]:
        yield from list(self.entries.values())[:limit]


def entry(name: str, status: str) -> Json:
    error = "it is not a PDF" if status == "failed" else None
    counts = {"bytes": 1200, "chunks": 3, "embedded": 3}
    return {"name": name, "status": status, "indexed_at": "2026-11-30T02:00:00Z", "error": error} | counts


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(documents, "create_api_client", lambda: made)
    monkeypatch.setattr(documents, "_POLL_SECONDS", 0)
    return made


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["documents", *arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.usefixtures("api")
def test_a_list_leaves_out_what_was_deleted_and_counts_what_failed() -> None:
    told = run("list")
    assert run() == told
    assert ("a.md" in told, "b.pdf" in told, "old.md" in told) == (True, True, False)
    assert "1 could not be read" in told
    assert "old.md" in run("list", "--deleted")
    assert "it is not a PDF" in run("show", "b.pdf")


def test_a_document_is_said_to_be_deleted_once_it_is(api: Api) -> None:
    assert run("delete", "a.md", "--yes") == "a.md is deleted\n"
    assert [method for method, _ in api.asked] == ["GET", "DELETE", "GET", "GET"]
    assert "is being deleted" in run("delete", "b.pdf", "--yes", "--wait", "0")


def test_nothing_is_deleted_unasked_and_an_unknown_name_is_told(api: Api) -> None:
    assert "pass --yes" in run("delete", "a.md", code=2)
    assert "no such document" in run("delete", "reports/übersicht 1.md", "--yes", code=1)
    assert api.asked[-1] == ("GET", "/v1/documents/reports/%C3%BCbersicht%201.md")
    assert {method for method, _ in api.asked} == {"GET"}


@pytest.mark.usefixtures("api")
def test_json_is_one_object_that_says_what_became_of_it() -> None:
    done = CliRunner().invoke(app, ["--json", "documents", "delete", "a.md", "--yes"])
    assert json.loads(done.output) == {"name": "a.md", "status": "deleted"}


PLACE = {
    "document": "a.md",
    "title": "Refunds > How long",
    "version": "v1",
    "start": 20,
    "end": 43,
    "page": 3,
    "header": "how | long",
    "text": "Refunds take [bold]ten[/] days.",
    "is_whole": True,
    "is_newest": True,
    "document_status": "indexed",
}


@pytest.mark.parametrize("chunk", ["k7f2qa", "[cite:k7f2qa]", "[cite: K7F2QA]"])
def test_a_place_that_an_answer_cites_is_shown_as_the_run_was_given_it(api: Api, chunk: str) -> None:
    place = {**PLACE}
    api.entries["/v1/runs/run_1/citations/k7f2qa"] = place | {"status": "indexed"}
    told = run("show", "a.md", "--chunk", chunk, "--run", "run_1")
    for words in ("Refunds > How long", "page 3, characters 20 to 43 of version v1", "how | long", "[bold]ten[/]"):
        assert words in told
    assert "since" not in told
    assert "went with the session" not in told
    place |= {"is_newest": False, "document_status": "deleted", "is_whole": False, "page": None, "status": "x"}
    api.entries["/v1/runs/run_1/citations/k7f2qa"] = place
    told = run("show", "a.md", "--chunk", chunk, "--run", "run_1")
    assert ("deleted since" in told, "went with the session" in told, "page" in told) == (True, True, False)


def test_a_place_needs_its_run_and_its_document(api: Api) -> None:
    api.entries["/v1/runs/run_1/citations/k7f2qa"] = {**PLACE, "status": "indexed"}
    assert "--chunk and --run must be used together" in run("show", "a.md", "--chunk", "k7f2qa", code=2)
    assert "cites the document 'a.md'" in run("show", "b.pdf", "--chunk", "k7f2qa", "--run", "run_1", code=1)
