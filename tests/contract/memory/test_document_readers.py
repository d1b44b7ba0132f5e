"""What every reader of documents does, and what a process of its own adds: limits that no document gets around."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ClassVar

import pytest

from pentad.domain.errors import InvalidInput, StoreUnavailable
from pentad.memory.documents.adapters import reader_process
from pentad.memory.documents.adapters.reader_inline import InlineReader
from pentad.memory.documents.adapters.reader_process import ProcessReader, ReaderLimits
from pentad.memory.documents.ports import DocumentReader
from pentad.runtime.settings import read_process_environment

MEGABYTE = 1024 * 1024
SMALL = ReaderLimits(memory_bytes=256 * MEGABYTE, cpu_seconds=2, wall_seconds=60.0, output_bytes=100_000)


def process(limits: ReaderLimits | None = None) -> ProcessReader:
    return ProcessReader(read_process_environment(), limits)


@pytest.fixture(params=[InlineReader, process], ids=["inline", "process"])
def reader(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_a_document_is_read_in_chunks_with_exact_words(reader: DocumentReader) -> None:
    found = reader.read("# Grüße \U0001f6a2\n\nalpha\n".encode(), name="docs/a.md", media_type="")
    assert (found.media_type, list(found.notes)) == ("text/markdown", [])
    [chunk] = found.chunks
    assert (chunk.title, chunk.text, chunk.start) == ("Grüße \U0001f6a2", "# Grüße \U0001f6a2\n\nalpha", 0)
    assert (
        chunk
        == InlineReader().read("# Grüße \U0001f6a2\n\nalpha\n".encode(), name="docs/a.md", media_type="").chunks[0]
    )


def test_notes_come_along(reader: DocumentReader) -> None:
    found = reader.read("Grüße".encode("latin-1"), name="a.txt", media_type="text/plain")
    assert len(found.notes) == 1


def test_what_can_not_be_read_is_refused_with_the_field_and_the_fix(reader: DocumentReader) -> None:
    with pytest.raises(InvalidInput) as error:
        reader.read(b"{\\rtf1 x}", name="a.rtf", media_type="application/rtf")
    assert (error.value.field, error.value.fix) == ("media_type", "save it as .docx, and upload that")


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a json of many small values": ("a.json", lambda: b"[" + b"[]," * 3_000_000 + b"1]"),
    "an object of many keys": ("a.json", lambda: b"{%s}" % b",".join(b'"%d":{}' % n for n in range(1_000_000))),
    "markdown of nothing but line ends": ("a.md", lambda: b"\n" * 8_000_000),
    "one row of many cells": ("a.csv", lambda: b"12," * 4_000_000),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_memory_is_limited_and_the_document_says_so(case: str) -> None:
    name, make = HOSTILE[case]
    limits = ReaderLimits(memory_bytes=200 * MEGABYTE, cpu_seconds=60, wall_seconds=200.0)
    with pytest.raises(InvalidInput, match="takes more than 200 MB of memory"):
        process(limits).read(make(), name=name, media_type="")


def test_cpu_time_is_limited_and_the_document_says_so() -> None:
    # Nested lists cost the Markdown parser a step for each level of each line.
    nested = "\n".join("  " * (n % 60) + "- " + "> " * 15 + f"[a{n}]: b" for n in range(60_000)).encode()
    with pytest.raises(InvalidInput, match="takes more than 1 s to read"):
        process(ReaderLimits(cpu_seconds=1)).read(nested, name="a.md", media_type="")


ENDLESS = {
    "quoted attributes": "<a href='",
    "tags": "<p",
    "end tags": "</a",
    "comments": "<!--",
    "declarations": "<!",
    "instructions": "<?",
    "titles": "<title>",
    "text areas": "<textarea>",
    "two kinds of quotes": "<a b='\"<c d=\"'",
    "open quotes": '<a ="',
    "nested blocks": "<div>",
    "nested inline elements": "<b><p>",
    "references": "&#9",
    "headings": "<h1>a",
}


@pytest.mark.parametrize("case", ENDLESS)
def test_html_without_ends_is_read_in_time_that_grows_with_its_length_alone(case: str) -> None:
    # A reader that begins anew at each piece needs minutes for this, and the process's limit ends it.
    text = "<p>before</p>" + ENDLESS[case] * (400_000 // len(ENDLESS[case]))
    found = process(ReaderLimits(cpu_seconds=15)).read(text.encode(), name="a.html", media_type="")
    assert found.chunks[0].text.startswith("before")


def test_many_attributes_and_one_endless_line_are_read() -> None:
    page = "<p " + " ".join(f"a{n}='>{n}'" for n in range(200_000)) + ">shown"
    assert [one.text for one in process().read(page.encode(), name="a.html", media_type="").chunks] == ["shown"]
    # Plain text took a state for each character of a paragraph: a gigabyte for 8 MB.
    assert process().read(b"x" * 3_500_000, name="a.txt", media_type="").chunks[-1].text.startswith("xxx")
    brackets = process(ReaderLimits(cpu_seconds=15)).read(b"# " + b"[" * 400_000, name="a.md", media_type="")
    assert brackets.chunks[0].title.startswith("[[[")


def test_output_is_limited_and_the_document_says_so() -> None:
    with pytest.raises(InvalidInput, match="too much text"):
        process(SMALL).read(b"word " * 40_000, name="a.txt", media_type="text/plain")


def test_a_reader_out_of_time_is_tried_again_if_it_was_given_little() -> None:
    with pytest.raises(StoreUnavailable):
        process().read(b"a", name="a.txt", media_type="", deadline=time.time() - 1)
    with pytest.raises(StoreUnavailable):
        process().read(b"a. " * 2_000_000, name="a.txt", media_type="", deadline=time.time() + 0.01)


def test_a_document_after_a_hostile_one_is_read() -> None:
    one = process(SMALL)
    with pytest.raises(InvalidInput):
        one.read(b"[" + b"[]," * 3_000_000 + b"1]", name="a.json", media_type="")
    assert [chunk.text for chunk in one.read(b"alpha", name="a.txt", media_type="").chunks] == ["alpha"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b"[" * 2_000_000),
        ("a.json", b'{"a":' * 500_000 + b"1" + b"}" * 500_000),
        ("a.jsonl", b"[" * 100_000 + b"]" * 100_000),
    ],
)
def test_deep_nesting_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        process().read(data, name=name, media_type="")


def test_the_process_has_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    assert set(read_process_environment()) <= {"PATH", "LD_LIBRARY_PATH"}


_LOOK = """
import ctypes, os, sys
from pentad.memory.documents.reader.process_wall import hide_process
if os.getuid() == 0:  # who may look at everything
    os.setgid(65534), os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as each process is that was started, and did not change its user
if sys.argv[1] == "hidden":
    assert hide_process()
child = os.fork()
if child == 0:
    try:
        seen = "planted" in open(f"/proc/{os.getppid()}/environ").read()
    except PermissionError:
        seen = False
    os._exit(1 if seen else 0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux shows a process's environment to others of its user")
@pytest.mark.parametrize(("how", "seen"), [("plain", "1"), ("hidden", "0")])
def test_a_process_can_not_look_into_the_one_that_started_it(how: str, seen: str) -> None:
    environment = os.environ | {"AWS_SECRET_ACCESS_KEY": "planted", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", _LOOK, how], env=environment, capture_output=True, check=True)
    assert done.stdout.decode().strip() == seen


_STARTING = """
import subprocess, time
from pentad.memory.documents.reader import reader_main

def read_document(data, *, name, media_type):
    started = subprocess.Popen(["sleep", "600"], start_new_session=name.startswith("apart"))
    open({place!r}, "w").write(str(started.pid))
    time.sleep(600 if "slow" in name else 0)
    raise ValueError

reader_main.read_document = read_document
"""


@pytest.mark.parametrize("name", ["slow.md", "quick.md", "apart-slow.md", "apart-quick.md"])
def test_what_a_document_has_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A fault of a parser that starts a process of its own, in the document's session or in another one."""
    if name.startswith("apart") and sys.platform != "linux":
        pytest.skip("only Linux hands what is left behind to the process that documents are read by")
    place = tmp_path / "started"
    (tmp_path / "sitecustomize.py").write_text(_STARTING.format(place=str(place)))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InvalidInput, match=r"to read|ValueError"):
        process(ReaderLimits(wall_seconds=5.0)).read(b"x", name=name, media_type="text/markdown")
    started = int(place.read_text())
    deadline = time.monotonic() + 30
    while Path(f"/proc/{started}/stat").exists() and ") Z" not in Path(f"/proc/{started}/stat").read_text():
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)


def test_documents_are_read_by_forks_of_one_process_which_is_started_again_where_it_ended() -> None:
    one = process()
    assert one.read(b"alpha", name="a.txt", media_type="").chunks
    assert one._server is not None
    first = one._server._process
    assert one.read(b"{", name="a.txt", media_type="").chunks
    assert one._server._process is first
    first.kill()
    first.wait()
    assert [chunk.text for chunk in one.read(b"beta", name="a.txt", media_type="").chunks] == ["beta"]
    assert one._server._process is not first


class Ending(reader_process._Server):
    """Ends when it has read the document, and written something: the first time, or each time."""

    runs: ClassVar[list[float]] = []
    ends: ClassVar[int] = 1
    error: ClassVar[OSError] = ConnectionError("it has ended")

    def run(self, source: IO[bytes], target: IO[bytes], ending: str, seconds: float, patience: float) -> int | None:
        self.runs.append(patience)
        if len(self.runs) > self.ends:
            return super().run(source, target, ending, seconds, patience)
        os.read(source.fileno(), 1_000)
        os.write(target.fileno(), b"half an answer, longer than a whole one " * 100)
        raise self.error


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> type[Ending]:
    monkeypatch.setattr(Ending, "runs", [])
    monkeypatch.setattr(reader_process, "_Server", Ending)
    return Ending


def test_the_second_turn_reads_the_whole_document_and_writes_its_answer_anew(ending: type[Ending]) -> None:
    assert [chunk.text for chunk in process().read(b"alpha", name="a.txt", media_type="").chunks] == ["alpha"]
    assert len(ending.runs) == 2


def test_a_process_that_ends_each_time_is_tried_twice(ending: type[Ending], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "ends", 9)
    with pytest.raises(StoreUnavailable, match="ended"):
        process().read(b"alpha", name="a.txt", media_type="")
    assert len(ending.runs) == 2


def test_a_process_that_does_not_answer_is_waited_for_once_and_no_longer_than_the_deadline(
    ending: type[Ending], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "error", TimeoutError("timed out"))
    one = process()
    with pytest.raises(StoreUnavailable, match="did not answer"):
        one.read(b"alpha", name="a.txt", media_type="", deadline=time.time() + 20)
    [patience] = ending.runs
    assert patience < 20 + 5, "functions keep 5 s to end in"
    assert [chunk.text for chunk in one.read(b"beta", name="a.txt", media_type="").chunks] == ["beta"]


def test_an_answer_that_is_none_is_no_document() -> None:
    for written in (b"", b"{}", b"[]", b'{"media_type":"a","notes":[],"chunks":[{"text":1}]}', json.dumps(3).encode()):
        with pytest.raises(InvalidInput, match="broke"):
            reader_process._read_answer(written)
