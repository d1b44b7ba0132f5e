"""Reads each document in a process of its own, with limits of memory, CPU time, time and output."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from pentad.domain.errors import InvalidInput, StoreUnavailable
from pentad.memory.documents.contents import EXIT_TOO_LARGE, ReadDocument

_MEGABYTE = 1024 * 1024
_ANSWER: TypeAdapter[ReadDocument] = TypeAdapter(ReadDocument)


@dataclass(frozen=True)
class ReaderLimits:
    """What reading one document may take.

    A document of 25 MB took at most 8 s of CPU and 470 MB as text, Markdown, HTML, CSV and JSON.
    """

    memory_bytes: int = 1024 * _MEGABYTE
    """Of address space. The function has 1,769 MB, of which it needs up to 500 itself."""
    cpu_seconds: int = 60
    wall_seconds: float = 150.0
    """Of real time: at 1,769 MB Lambda gives one CPU."""
    output_bytes: int = 96 * _MEGABYTE
    """26 million characters have 78 MB at most, and 30,000 chunks 10 MB beside their words."""


class ProcessReader:
    """A `DocumentReader`.

    Args:
        environment: what the process gets of this one's environment: never credentials.
        limits: what reading one document may take.
    """

    def __init__(self, environment: Mapping[str, str], limits: ReaderLimits | None = None) -> None:
        self._environment = dict(environment)
        self._limits = limits or ReaderLimits()

    def read(self, data: bytes, *, name: str, media_type: str, deadline: float | None = None) -> ReadDocument:
        """See `DocumentReader`."""
        left = self._limits.wall_seconds if deadline is None else deadline - time.time()
        seconds = min(left, self._limits.wall_seconds)
        if seconds <= 0:
            raise StoreUnavailable("there was no time left to read the document")
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
            self._write_request(source, data, name, media_type)
            code = self._run(source, target, seconds)
            if code is None and seconds < self._limits.wall_seconds:
                raise StoreUnavailable("there was not enough time to read the document")
            if code != 0:
                raise self._explain(code)
            target.seek(0)
            return _read_answer(target.read(self._limits.output_bytes + 1))

    def _write_request(self, source: IO[bytes], data: bytes, name: str, media_type: str) -> None:
        limits = self._limits
        request = {
            "name": name,
            "media_type": media_type,
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
            "output_bytes": limits.output_bytes,
        }
        source.write(json.dumps(request).encode() + b"\n")
        source.write(data)
        source.seek(0)

    def _run(self, source: IO[bytes], target: IO[bytes], seconds: float) -> int | None:
        """Return the exit code, or None where the process was ended for the time it took."""
        path = os.pathsep.join(entry for entry in sys.path if entry)
        try:
            process = subprocess.Popen(
                [sys.executable, "-s", "-m", "pentad.memory.documents.reader.reader_main"],
                stdin=source,
                stdout=target,
                stderr=subprocess.DEVNULL,
                env=self._environment | {"PYTHONPATH": path},
                start_new_session=True,
            )
        except OSError as error:
            raise StoreUnavailable(f"the process that reads documents did not start: {type(error).__name__}") from error
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end_group(process)

    def _explain(self, code: int | None) -> InvalidInput:
        if code == EXIT_TOO_LARGE:
            message = "the document holds too much text"
        elif code is None or code in (-signal.SIGXCPU, -signal.SIGKILL):
            message = f"the document takes more than {self._limits.cpu_seconds} s to read"
        else:
            message = "the process that read the document broke"
        return InvalidInput(message, field="document", fix="split the document, or upload its text")


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process with all that it has started: nothing of a document goes on after it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read_answer(written: bytes) -> ReadDocument:
    """Return what the process wrote; nothing it wrote is trusted.

    Raises:
        InvalidInput: it could not read the document, or did not answer as it should.
    """
    try:
        answer: dict[str, Any] = json.loads(written)
        if "refused" in answer:
            refused = answer["refused"]
            raise InvalidInput(refused["message"], field=refused["field"], fix=refused["fix"])
        return _ANSWER.validate_python(answer)
    except (ValueError, ValidationError, KeyError, TypeError) as error:
        raise InvalidInput("the process that read the document broke", field="document") from error
