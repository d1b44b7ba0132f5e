"""`pentad ingest` and `pentad documents reingest`: what is sent, tried again, left alone, and summed up."""

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.client import ProblemError
from pentad.cli.commands.knowledge import bulk, documents, ingest, uploads
from pentad.cli.commands.knowledge.ingest import find_documents, show_entries
from pentad.cli.console import EXIT_UNAVAILABLE, CommandError
from pentad.cli.main import app
from pentad.memory.documents.contents import RECIPE

Json = dict[str, Any]


class Api:
    """The API over documents that are indexed at the second look."""

    def __init__(self) -> None:
        self.entries: dict[str, Json] = {}
        self.uploads: list[str] = []
        self.requested: list[str] = []
        self.faults: dict[str, list[Exception]] = {}
        self.reads: dict[str, Json] = {}
        self.bulks: list[Json] = []
        self.bulk_ends: list[Json] = []
        self.asked: list[int] = []
        self.alone: list[str] = []
        self.lost: set[str] = set()
        self._coming: dict[str, Json] = {}
        self._count = 0
        self._lock = threading.Lock()

    def request_uploads(self, wanted: list[Json]) -> list[Json]:
        with self._lock:
            self.asked.append(len(wanted))
        return [self._answer(one["name"]) for one in wanted]

    def _answer(self, name: str) -> Json:
        fault = self.faults[name].pop(0) if self.faults.get(name) else None
        if fault is not None and not isinstance(fault, ProblemError):
            raise fault
        return {"problem": fault and {"status": fault.status, **fault.problem}, "upload": {"url": name}}

    def upload_document(self, name: str, media_type: str, content: bytes) -> None:
        self.alone.append(name)
        if self.faults.get(name):
            raise self.faults[name].pop(0)
        self.send_upload(name, {"url": name}, content)

    def send_upload(self, name: str, ticket: Json, content: bytes) -> None:
        assert ticket["url"] == name
        with self._lock:
            if name in self.lost:
                self.lost.remove(name)
                raise ProblemError(403, {"detail": "the bucket refused it"})
            self.uploads.append(name)
            self._count += 1
            sha256 = hashlib.sha256(content).hexdigest()
            self._coming[name] = entry(name, sha256=sha256, at=self._count) | self.reads.get(name, {})

    def call(self, method: str, path: str, *, body: Any = None) -> Json:
        if path == "/v1/bulk-ingests":
            self.bulks.append(body)
            return {"bulk": body["bulk"]}
        if path.startswith("/v1/bulk-ingests/"):
            assert path.endswith(self.bulks[-1]["bulk"])
            return self.bulk_ends.pop(0)
        name = path.removeprefix("/v1/documents/")
        if method == "POST":
            self.requested.append(name)
            self._count += 1
            self._coming[name] = self.entries[name] | {"embedded": 0, "indexed_at": str(self._count)}
            return {}
        self._settle()
        if name not in self.entries:
            raise ProblemError(404, {"detail": "no such document"})
        return self.entries[name]

    def iter_items(self, path: str, ask: Any = None, *, limit: int) -> Iterator[Json]:
        self._settle()
        yield from list(self.entries.values())[:limit]

    def _settle(self) -> None:
        with self._lock:
            self.entries |= self._coming
            self._coming = {}


def entry(name: str, *, sha256: str = "", at: int = 0, status: str = "indexed") -> Json:
    counts = {"bytes": 1200, "chunks": 3, "embedded": 2, "indexed_at": str(at), "error": None, "notes": []}
    return {"name": name, "status": status, "sha256": sha256, "recipe": RECIPE} | counts


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(bulk, "POLL_SECONDS", 0)
    monkeypatch.setattr(uploads, "RETRY_SECONDS", 0)
    for module in (documents, ingest):
        monkeypatch.setattr(module, "create_api_client", lambda: made)
        monkeypatch.setattr(module, "_POLL_SECONDS", 0)
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.md", "b.md", "c.md"):
        (tmp_path / name).write_text(f"# {name}")
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_a_folder_is_uploaded_and_summed_up(api: Api, folder: Path) -> None:
    told = run("ingest", ".")
    assert sorted(api.uploads) == ["a.md", "b.md", "c.md"]
    assert "3 indexed: 9 chunks, 6 embedded; " in told


def test_one_chunk_is_one_and_what_is_unchanged_is_no_news(
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = {"name": "a.md", "status": "indexed", "chunks": 1, "embedded": 1, "error": None, "notes": []}
    show_entries([one], 0.04)
    assert capsys.readouterr().out.splitlines() == [
        "indexed  a.md  1 chunk, 1 embedded",
        "1 indexed: 1 chunk, 1 embedded; 0.0 s",
    ]
    show_entries([one | {"unchanged": True}, one | {"name": "b.md", "unchanged": True, "chunks": 1_000}], 1.0)
    assert capsys.readouterr().out.splitlines() == [
        "indexed  a.md  1 chunk, unchanged",
        "indexed  b.md  1,000 chunks, unchanged",
        "unchanged: 2; 1.0 s",
    ]


def test_pictures_in_a_folder_are_left_out_and_told_and_one_that_is_named_is_sent(api: Api, folder: Path) -> None:
    (folder / "plan.png").write_bytes(b"\x89PNG")
    (folder / "HULL.JPEG").write_bytes(b"\xff\xd8")
    (folder / "drawing.svg").write_text("<svg><text>hull</text></svg>")
    (folder / "types.ts").write_text("export type Hull = string")
    done = CliRunner().invoke(app, ["ingest", str(folder)])
    assert "plan.png: left out" in done.stderr and "HULL.JPEG: left out" in done.stderr
    assert sorted(api.uploads) == ["a.md", "b.md", "c.md", "drawing.svg", "types.ts"]
    CliRunner().invoke(app, ["ingest", str(folder / "plan.png")])
    assert api.uploads[-1] == "plan.png"


def test_hidden_files_of_a_folder_are_left_out_and_what_is_named_itself_is_sent(api: Api, folder: Path) -> None:
    (folder / ".notes").mkdir()
    for name in (".env.md", ".notes/d.md", "e.md"):
        (folder / name).write_text(f"# {name}")
    run("ingest", ".")
    assert sorted(api.uploads) == ["a.md", "b.md", "c.md", "e.md"]
    run("ingest", ".env.md", ".notes")
    assert sorted(api.uploads[-2:]) == [".env.md", ".notes/d.md"]


def write_documents(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}")


def test_files_of_one_name_in_a_folder_elsewhere_are_documents_of_their_own(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_documents(tmp_path, "rules/de/x.md", "rules/fr/x.md", "rules/x.md", "here/y.md", "one.md")
    monkeypatch.chdir(tmp_path / "here")
    told = run("ingest", str(tmp_path / "rules"), "../one.md", "y.md")
    assert sorted(api.uploads) == ["one.md", "rules/de/x.md", "rules/fr/x.md", "rules/x.md", "y.md"]
    assert "5 indexed" in told
    assert sorted(find_documents([Path("..", "rules", "de")])) == ["de/x.md"]
    assert sorted(find_documents([Path("..")])) == sorted(
        [f"{tmp_path.name}/{name}" for name in ("one.md", "rules/de/x.md", "rules/fr/x.md", "rules/x.md")] + ["y.md"]
    )


def test_two_files_that_would_be_one_document_are_refused_before_any_is_sent(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_documents(tmp_path, "a/x.md", "b/x.md", "here/y.md", "c/docs/z.md", "d/docs/z.md")
    monkeypatch.chdir(tmp_path / "here")
    for first, second in (("../a/x.md", "../b/x.md"), ("../c/docs", "../d/docs")):
        told = run("ingest", first, second, code=2)
        assert "would both be the document" in told
        assert "start the command in a folder above both" in told
    assert not api.uploads
    run("ingest", "../a/x.md", "../a", "../a/x.md")  # the same file twice is no conflict
    assert sorted(api.uploads) == ["a/x.md", "x.md"]


def test_a_link_is_called_what_it_is_called_here(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_documents(tmp_path, "store/8f3a.md", "here/docs/y.md")
    (tmp_path / "here/docs/plan.md").symlink_to(tmp_path / "store/8f3a.md")
    (tmp_path / "also").symlink_to(tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    run("ingest", "docs")
    assert sorted(api.uploads) == ["docs/plan.md", "docs/y.md"]
    assert sorted(find_documents([tmp_path / "also" / "docs" / "y.md"])) == ["docs/y.md"]


def test_what_is_indexed_already_is_not_uploaded_again_unless_asked(api: Api, folder: Path) -> None:
    run("ingest", ".")
    (folder / "b.md").write_text("# Changed")
    api.uploads.clear()
    assert "1 indexed: 3 chunks, 2 embedded; unchanged: 2; " in run("ingest", ".")
    assert api.uploads == ["b.md"]
    run("ingest", "--again", ".")
    assert sorted(api.uploads) == ["a.md", "b.md", "b.md", "c.md"]


@pytest.mark.parametrize("change", [{"recipe": "0"}, {"status": "stale"}, {"sha256": None}])
def test_what_is_not_in_the_index_as_it_is_cut_today_is_uploaded(api: Api, folder: Path, change: Json) -> None:
    run("ingest", "a.md")
    api.entries["a.md"] |= change
    run("ingest", "a.md")
    assert api.uploads == ["a.md", "a.md"]


def test_an_upload_that_meets_an_overloaded_api_is_tried_again(api: Api, folder: Path) -> None:
    api.faults["b.md"] = [
        ProblemError(429, {"detail": "slow down"}),
        ProblemError(503, {"detail": "busy"}),
        CommandError("does not answer", code=EXIT_UNAVAILABLE),
    ]
    run("ingest", ".")
    assert sorted(api.uploads) == ["a.md", "b.md", "c.md"]


def test_addresses_for_many_documents_take_few_requests(api: Api, folder: Path) -> None:
    for number in range(997):
        (folder / f"{number:04}.md").write_text(f"# {number}")
    run("ingest", ".", "--one-by-one")
    assert (len(api.uploads), sum(api.asked), api.alone) == (1_000, 1_000, [])
    assert api.asked == [uploads.UPLOADS_AT_ONCE] * 10
    api.asked.clear()
    run("ingest", ".", "--again", "--one-by-one")
    assert len(api.asked) == 10


def test_few_documents_are_sent_at_the_same_time(api: Api, folder: Path) -> None:
    run("ingest", ".")
    assert api.asked == [1, 1, 1]


def test_what_the_bucket_did_not_take_is_asked_for_by_itself(api: Api, folder: Path) -> None:
    api.lost = {"b.md"}
    run("ingest", ".")
    assert (sorted(api.uploads), api.alone) == (["a.md", "b.md", "c.md"], ["b.md"])


def test_addresses_that_have_grown_old_are_asked_for_again(
    api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_THREADS", 1)
    now = iter(range(0, 100_000, 150))  # between two uploads: the third of a batch is too late
    monkeypatch.setattr("pentad.cli.commands.knowledge.uploads.time.monotonic", lambda: next(now))
    run("ingest", ".", "--one-by-one", "--wait", "100000")
    assert (api.asked, sorted(api.uploads)) == ([3, 2, 1], ["a.md", "b.md", "c.md"])


def test_a_file_that_is_gone_meanwhile_holds_up_no_other(tmp_path: Path) -> None:
    api, there = Api(), tmp_path / "a.md"
    there.write_text("# A")
    sources = {"a.md": uploads.LocalFile(there, "text/markdown"), "b.md": uploads.LocalFile(tmp_path / "b.md", "")}
    refused = uploads.upload_all(api, sources)  # type: ignore[arg-type]
    assert (list(refused), api.uploads) == (["b.md"], ["a.md"])


def test_a_refused_upload_is_told_and_the_others_are_indexed(api: Api, folder: Path) -> None:
    api.faults["a.md"] = [ProblemError(422, {"detail": "the media type is not accepted"})]
    told = run("ingest", ".", code=1)
    assert "refused  a.md" in told
    assert "the media type is not accepted" in told
    assert "2 indexed, 1 refused: 6 chunks, 4 embedded" in told
    assert sorted(api.uploads) == ["b.md", "c.md"]


def test_an_api_that_stays_away_is_told_for_each_document(api: Api, folder: Path) -> None:
    api.faults["a.md"] = [CommandError("does not answer", code=EXIT_UNAVAILABLE)] * 9
    assert "does not answer" in run("ingest", "a.md", code=1)
    assert api.faults["a.md"] == []


def test_doubts_and_failures_are_told_and_end_with_one(api: Api, folder: Path) -> None:
    api.reads["a.md"] = {"notes": ["no charset is declared: read as windows-1252 by its content"]}
    api.reads["b.md"] = {"status": "stale", "error": "the JSON can't be read at line 1"}
    told = run("ingest", ".", code=1)
    assert "doubtful: no charset is declared" in told
    assert "the JSON can't be read at line 1" in told
    assert "2 indexed, 1 stale: 9 chunks, 6 embedded; read with doubts: 1; " in told


def test_of_many_documents_those_with_faults_are_listed(api: Api, folder: Path) -> None:
    for number in range(60):
        (folder / f"n{number:02}.md").write_text("x")
    api.reads["n07.md"] = {"status": "failed", "error": "it is not text"}
    told = run("ingest", ".", code=1)
    assert [line.split()[1] for line in told.splitlines() if line.startswith(("indexed", "failed"))] == ["n07.md"]
    assert "1 failed, 62 indexed" in told


def test_a_document_is_read_anew_by_name_or_all_are(api: Api, folder: Path) -> None:
    run("ingest", ".")
    api.entries["gone.md"] = entry("gone.md", status="deleted")
    api.uploads.clear()
    told = json.loads(run("--json", "documents", "reingest", "b.md"))
    assert [(one["name"], one["embedded"]) for one in told] == [("b.md", 0)]
    assert "3 indexed: 9 chunks, 0 embedded" in run("documents", "reingest", "--all")
    assert (sorted(api.requested), api.uploads) == (["a.md", "b.md", "b.md", "c.md"], [])


def test_reingest_needs_names_or_all(api: Api) -> None:
    assert "name documents, or give --all" in run("documents", "reingest", code=2)
    assert "name documents, or give --all" in run("documents", "reingest", "a.md", "--all", code=2)


def far(done: int, status: str = "running", error: str | None = None) -> Json:
    return {"status": status, "documents": 3, "done": done, "failed": 0, "running": 1, "error": error}


def test_many_documents_are_indexed_at_once_and_followed_to_the_end(api: Api, folder: Path) -> None:
    api.bulk_ends = [far(0), far(2), far(3, "done")]
    told = run("ingest", ".", "--bulk")
    assert [one["folder"] for one in api.bulks] == [""]
    assert api.bulk_ends == []
    assert "3 indexed: 9 chunks, 6 embedded; " in told


def test_from_many_documents_on_they_are_indexed_at_once_unless_told_otherwise(
    api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BULK_FROM", 3)
    run("ingest", ".", "--one-by-one")
    (folder / "a.md").write_text("# Changed")
    run("ingest", ".")  # one has changed
    assert api.bulks == []
    api.bulk_ends = [far(3, "done")]
    run("ingest", "--again", ".")
    assert len(api.bulks) == 1


def test_a_bulk_ingestion_that_fails_leaves_the_documents_to_be_indexed_one_by_one(api: Api, folder: Path) -> None:
    api.bulk_ends = [far(0, "failed", "States.ItemReaderFailed")]
    told = run("ingest", ".", "--bulk")
    assert "States.ItemReaderFailed" in told
    assert "3 indexed" in told


def test_a_bulk_ingestion_that_stands_still_is_told_with_how_far_it_came(api: Api, folder: Path) -> None:
    api.bulk_ends = [far(2)] * 1_000_000
    assert "2 of 3 documents processed" in run("ingest", ".", "--bulk", "--wait", "0.01", code=1)


def test_who_stops_waiting_is_told_that_it_goes_on(api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    api.bulk_ends = [far(0)]
    monkeypatch.setattr("pentad.cli.commands.knowledge.bulk.time.sleep", interrupt)
    assert "run the command again to watch it" in run("ingest", ".", "--bulk", code=bulk.INTERRUPTED)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["docs/a.md", "docs/plans/b.md"], "docs"),
        (["docs/a.md", "docs2/b.md"], ""),
        (["docs/plans/a.md", "docs/plans/b.md"], "docs/plans"),
        (["a.md"], ""),
    ],
)
def test_the_folder_holds_all_documents(names: list[str], expected: str) -> None:
    assert bulk.find_folder(names) == expected
