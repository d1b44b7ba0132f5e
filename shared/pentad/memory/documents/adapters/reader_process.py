"""Reads each document in a process of its own, with limits of memory, CPU time, time and output."""

import contextlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from pentad.domain.errors import InvalidInput, StoreUnavailable
from pentad.domain.reading.json_text import read_json
from pentad.memory.documents.contents import EXIT_TOO_LARGE, ReadDocument
from pentad.memory.documents.reader.messages import REPLY, REQUEST, SERVER, TIMED_OUT

_MEGABYTE = 1024 * 1024
_ANSWER_SECONDS = 10.0
"""How long the process may take to start, and to say that a document's time is over."""
_LATE_SECONDS = 3.0
"""How long after the caller's deadline it may at most be heard of; functions keep 5 s to end in."""
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

    The process that documents are read by is started with the first one, and again where it has ended.

    Args:
        environment: what that process gets of this one's environment: never credentials.
        limits: what reading one document may take.
    """

    def __init__(self, environment: Mapping[str, str], limits: ReaderLimits | None = None) -> None:
        self._environment = dict(environment)
        self._limits = limits or ReaderLimits()
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def read(self, data: bytes, *, name: str, media_type: str, deadline: float | None = None) -> ReadDocument:
        """See `DocumentReader`."""
        with self._lock:
            for is_last in (False, True):
                try:
                    return self._read_once(data, name, media_type, deadline)
                except _ServerEnded as error:
                    if is_last:
                        raise StoreUnavailable("the process that reads documents ended") from error
        raise AssertionError("the last turn returns or raises")

    def _read_once(self, data: bytes, name: str, media_type: str, deadline: float | None) -> ReadDocument:
        """Read a document with files of its own: what a reader that ended has read or written of them is in no other.

        Raises:
            InvalidInput: see `DocumentReader`.
            StoreUnavailable: see `DocumentReader`.
            _ServerEnded: the process that documents are read by has ended.
        """
        left = math.inf if deadline is None else deadline - time.time()
        seconds = min(left, self._limits.wall_seconds)
        if seconds <= 0:
            raise StoreUnavailable("there was no time left to read the document")
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
            self._write_request(source, data, name, media_type)
            patience = min(seconds + _ANSWER_SECONDS, left + _LATE_SECONDS)
            code = self._run(source, target, PurePosixPath(name).suffix, seconds, patience)
            if code is None and seconds < self._limits.wall_seconds:
                raise StoreUnavailable("there was not enough time to read the document")
            if code != 0:
                raise self._explain(code)
            target.seek(0)
            return _read_answer(target.read(self._limits.output_bytes + 1))

    def _run(self, source: IO[bytes], target: IO[bytes], ending: str, seconds: float, patience: float) -> int | None:
        """Return the exit code, or None where the document's process was ended for the time it took."""
        if self._server is None:
            self._server = _Server(self._environment)
        try:
            return self._server.run(source, target, ending, seconds, patience)
        except OSError as error:
            self._server.end()
            self._server = None
            if isinstance(error, TimeoutError):  # all its time is over: another turn would have none
                raise StoreUnavailable("the process that reads documents did not answer in time") from error
            raise _ServerEnded from error

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

    def _explain(self, code: int | None) -> InvalidInput:
        if code == EXIT_TOO_LARGE:
            message = "the document holds too much text"
        elif code is None or code in (-signal.SIGXCPU, -signal.SIGKILL):
            message = f"the document takes more than {self._limits.cpu_seconds} s to read"
        else:
            message = "the process that read the document broke"
        return InvalidInput(message, field="document", fix="split the document, or upload its text")


class _ServerEnded(Exception):
    """The process that documents are read by has ended; another one may be started."""


class _Server:
    """The process that documents are read by; see `pentad.memory.documents.reader.reader_server`.

    Attributes:
        end: ends it; what is no longer used ends by itself.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self._asking, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this interpreter
                    [sys.executable, "-s", "-m", SERVER, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**environment, "PYTHONPATH": path},
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError as error:
                self._asking.close()
                name = type(error).__name__
                raise StoreUnavailable(f"the process that reads documents did not start: {name}") from error
        self.end = weakref.finalize(self, _end, self._asking, self._process)

    def run(self, source: IO[bytes], target: IO[bytes], ending: str, seconds: float, patience: float) -> int | None:
        """Read a document and return the exit code of its process, or None where its time was over.

        Args:
            source: what to read, from its beginning.
            target: what is written.
            ending: of the document's name.
            seconds: the document's time.
            patience: seconds after which this process should have answered.

        Raises:
            TimeoutError: this process did not answer.
            OSError: it has ended.
        """
        self._asking.settimeout(patience)
        message = REQUEST.pack(seconds, ending.encode()[:16])
        socket.send_fds(self._asking, [message], [source.fileno(), target.fileno()])
        answer = self._asking.recv(REPLY.size, socket.MSG_WAITALL)
        if len(answer) < REPLY.size:
            raise ConnectionError("it has ended")
        [code] = REPLY.unpack(answer)
        return None if code == TIMED_OUT else int(code)


def _end(asking: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    """End the process that documents are read by, and with it what it has forked off."""
    asking.close()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read_answer(written: bytes) -> ReadDocument:
    """Return what the process wrote; nothing it wrote is trusted.

    Raises:
        InvalidInput: it could not read the document, or did not answer as it should.
    """
    try:
        answer: dict[str, Any] = read_json(written)
        if "refused" in answer:
            refused = answer["refused"]
            raise InvalidInput(refused["message"], field=refused["field"], fix=refused["fix"])
        return _ANSWER.validate_python(answer)
    except (ValueError, ValidationError, KeyError, TypeError) as error:
        raise InvalidInput("the process that read the document broke", field="document") from error
