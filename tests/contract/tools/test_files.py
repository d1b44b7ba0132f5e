"""One suite over every store of files, and the tools for files on each."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from functions.library.files.delete_file import delete_file
from functions.library.files.list_files import list_files
from functions.library.files.read_file import read_file
from functions.library.files.write_file import write_file
from pentad.domain.errors import PolicyDenied, ToolFailed
from pentad.domain.runs import CallStatus
from pentad.tools.declare import Grant
from pentad.tools.declare.declare import Tool
from pentad.tools.files.adapters.files_memory import MemoryFiles
from pentad.tools.files.adapters.files_s3 import S3Files
from pentad.tools.files.granted_files import GrantedFiles
from pentad.tools.files.ports import FileStore
from tests.moto_clients import client as moto_client
from tests.unit.tools.worlds import Crash, Crashing, World

Open = Callable[[str], FileStore]


@pytest.fixture(params=["memory", "s3"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    if request.param == "memory":
        yield MemoryFiles().get_store
        return
    with mock_aws():
        client = moto_client("s3")
        client.create_bucket(Bucket="files")
        client.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
        yield lambda tenant: S3Files(client, "files", tenant)


def put(files: FileStore, path: str, text: str, if_etag: str | None = None) -> str | None:
    return files.write(
        path, text.encode(), content_type="text/plain", marks={"effect": "m" + text[:3]}, if_etag=if_etag
    )


def test_a_file_is_stored_only_as_expected(opened: Open) -> None:
    files = opened("acme")
    first = put(files, "a/b.txt", "one")
    assert first is not None
    assert put(files, "a/b.txt", "two") is None
    assert put(files, "a/b.txt", "two", if_etag="0" * 32) is None
    second = put(files, "a/b.txt", "two", if_etag=first)
    assert second not in (None, first)
    found = files.read("a/b.txt")
    assert found is not None and (found.data, found.entry.etag, found.marks) == (b"two", second, {"effect": "mtwo"})


def test_an_older_version_is_read_by_its_name(opened: Open) -> None:
    files = opened("acme")
    first = put(files, "a", "one")
    known = files.read("a", length=0)
    assert known is not None and known.data == b"" and known.entry.size == 3
    put(files, "a", "two", if_etag=first)
    old = files.read("a", version=known.version)
    assert old is not None and old.data == b"one"


def test_parts_are_read(opened: Open) -> None:
    files = opened("acme")
    put(files, "a", "0123456789")
    part = files.read("a", start=3, length=4)
    assert part is not None and (part.data, part.start, part.entry.size) == (b"3456", 3, 10)
    beyond = files.read("a", start=10, length=4)
    assert beyond is not None and beyond.data == b""
    assert files.read("b") is None and files.read("b", length=0) is None


def test_a_file_is_deleted_only_as_expected(opened: Open) -> None:
    files = opened("acme")
    etag = put(files, "a", "one")
    assert etag is not None
    assert not files.delete("a", if_etag="0" * 32)
    assert files.delete("a", if_etag=etag) and not files.delete("a", if_etag=etag)
    assert files.read("a") is None
    assert put(files, "a", "again") is not None


def test_a_list_has_pages_and_one_tenant(opened: Open) -> None:
    files = opened("acme")
    for name in ("b/1", "b/2", "b/3", "c", "Ä"):
        put(files, name, "x")
    put(opened("acme2"), "b/9", "other")
    entries, more = files.list("", limit=10)
    assert [one.path for one in entries] == ["b/1", "b/2", "b/3", "c", "Ä"] and not more
    page, more = files.list("b/", limit=2)
    assert [one.path for one in page] == ["b/1", "b/2"] and more
    rest, more = files.list("b/", limit=2, after="b/2")
    assert [one.path for one in rest] == ["b/3"] and not more


def test_grants_are_told_before_aws_refuses(opened: Open) -> None:
    grants = [Grant("files", "read", keys="reports/"), Grant("files", "readwrite", keys="drafts/")]
    files = GrantedFiles(opened("acme"), grants, "report")
    assert put(files, "drafts/a", "one") and files.read("reports/a") is None
    for path in ("reports/a", "a", "draft", "draftsman/a"):
        with pytest.raises(PolicyDenied, match="may not write"):
            put(files, path, "x")
    for do in (lambda: files.read("other/a"), lambda: files.list("", limit=1), lambda: files.delete("a", if_etag="x")):
        with pytest.raises(PolicyDenied):
            do()


class Shelf:
    """The tools on one store."""

    def __init__(self, opened: Open) -> None:
        self._opened = opened
        self._calls = 0

    def get_store(self, tenant_id: str) -> FileStore:
        return self._opened(tenant_id)

    def world(self, tool: Tool[Any, Any], **arguments: Any) -> World:
        self._calls += 1
        # Each call is of another place in its run, so that it has an effect key of its own.
        world = World(tool, files=self)
        world.add_call({**arguments})
        call = world.calls.stored.pop(next(iter(world.calls.stored)))
        world.calls.stored[call.tenant_id, call.run_id, 1, 0] = call.model_copy(update={"call_id": f"c{self._calls}"})
        return world

    def call(self, tool: Tool[Any, Any], **arguments: Any) -> World:
        world = self.world(tool, **arguments)
        world.execute()
        return world


@pytest.fixture
def shelf(opened: Open) -> Shelf:
    return Shelf(opened)


def test_a_file_is_written_read_listed_and_deleted(shelf: Shelf) -> None:
    written = shelf.call(write_file, path="notes/a.md", content="# Hé\n")
    assert written.result["size"] == 6 and not written.result["replaced"]
    read = shelf.call(read_file, path="notes/a.md")
    assert read.result["text"] == "# Hé\n" and read.result["next_start"] is None and read.call.untrusted
    assert read.result["content_type"] in ("text/markdown", "text/plain", "application/octet-stream")
    listed = shelf.call(list_files, folder="notes").result
    assert [one["path"] for one in listed["files"]] == ["notes/a.md"] and listed["more_after"] is None
    assert not shelf.call(delete_file, path="notes/a.md", if_etag=read.result["etag"]).call.is_error
    gone = shelf.call(read_file, path="notes/a.md").call
    assert gone.is_error and "list the files" in (gone.result or "")


def test_what_is_there_is_replaced_only_on_demand(shelf: Shelf) -> None:
    first = shelf.call(write_file, path="a", content="one").result
    assert "already" in (shelf.call(write_file, path="a", content="two").call.result or "")
    stale = shelf.call(write_file, path="a", content="two", if_exists="replace", if_etag="0" * 32).call
    assert stale.is_error and "not as it was read" in (stale.result or "")
    done = shelf.call(write_file, path="a", content="two", if_etag=first["etag"])
    assert done.result["replaced"]
    assert not shelf.call(write_file, path="a", content="+three", if_exists="append").call.is_error
    assert shelf.call(read_file, path="a").result["text"] == "two+three"


def test_undo_brings_back_what_was_there(shelf: Shelf) -> None:
    made = shelf.call(write_file, path="a", content="one")
    changed = shelf.call(write_file, path="a", content="two", if_exists="replace")
    with pytest.raises(ToolFailed, match="changed since"):
        made.undo()
    changed.undo()
    assert shelf.call(read_file, path="a").result["text"] == "one"
    made.undo()
    assert made.call.status is CallStatus.UNDONE
    assert shelf.call(list_files).result["files"] == []


def test_undo_of_a_deletion_brings_the_file_back_unless_there_is_another(shelf: Shelf) -> None:
    shelf.call(write_file, path="a", content="one")
    gone = shelf.call(delete_file, path="a")
    shelf.call(write_file, path="a", content="new")
    with pytest.raises(ToolFailed, match="changed since"):
        gone.undo()
    shelf.call(delete_file, path="a")
    gone.undo()
    assert shelf.call(read_file, path="a").result["text"] == "one"


def test_a_write_that_was_cut_off_is_done_once(shelf: Shelf) -> None:
    shelf.call(write_file, path="a", content="x")
    world = shelf.world(write_file, path="a", content="y", if_exists="append")
    world.effects = Crashing(world.effects, "finish", before=True)
    with pytest.raises(Crash):
        world.execute()
    world.execute()
    assert shelf.call(read_file, path="a").result["text"] == "xy"
    world.undo()
    assert shelf.call(read_file, path="a").result["text"] == "x"


def test_large_files_are_read_in_parts_between_characters(shelf: Shelf) -> None:
    text = "a" + "é" * 60_000 + "日本" * 5_000
    shelf.call(write_file, path="big.txt", content=text)
    parts, start = [], 0
    for _ in range(10):
        answer = shelf.call(read_file, path="big.txt", start=start).result
        parts.append(answer["text"])
        if answer["next_start"] is None:
            break
        start = answer["next_start"]
    assert "".join(parts) == text


def test_bytes_are_not_taken_for_text(shelf: Shelf) -> None:
    data = base64.b64encode(b"\x89PNG\x00\xff").decode()
    shelf.call(write_file, path="a.png", content=data, as_base64=True)
    answer = shelf.call(read_file, path="a.png").result
    assert answer["text"] is None and "base64" in answer["note"] and answer["content_type"] == "image/png"
    assert shelf.call(read_file, path="a.png", as_base64=True).result["base64"] == data
    assert shelf.call(write_file, path="b", content="%%%", as_base64=True).call.is_error


@pytest.mark.parametrize("path", ["../acme2/a", "a//b", "/a", "a\u202eb"])
def test_hostile_paths_are_refused_by_each_tool(shelf: Shelf, path: str) -> None:
    for tool, more in ((read_file, {}), (write_file, {"content": "x"}), (delete_file, {})):
        call = shelf.call(tool, path=path, **more).call
        assert call.is_error and "the path" in (call.result or "")
