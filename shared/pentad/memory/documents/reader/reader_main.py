"""The process that reads one document, forked off by `pentad.memory.documents.reader.reader_server`.

It limits itself before it looks at the document, reads the document from standard input (a line of JSON with its name,
type and the limits, then its bytes), and writes one JSON object to standard output: what it read, or why it could not.
It has no credentials, and ends with its document, so whatever a document does to it happens to nobody else.
"""

import errno
import json
import resource
from dataclasses import asdict
from typing import Any, BinaryIO

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.contents import EXIT_TOO_LARGE
from pentad.memory.documents.reader.reading import read_document

_MEGABYTE = 1024 * 1024


def main() -> int:
    """Read the document and return the process's exit code."""
    source, target = open(0, "rb"), open(1, "wb")  # they end with this process
    request: dict[str, Any] = json.loads(source.readline())
    _limit_process(request["memory_bytes"], request["cpu_seconds"], request["output_bytes"])
    answer = _answer(request, source)
    try:
        target.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())
        target.flush()
    except MemoryError:
        return EXIT_TOO_LARGE
    except OSError as error:
        if error.errno == errno.EFBIG:
            return EXIT_TOO_LARGE
        raise
    return 0


def _answer(request: dict[str, Any], source: BinaryIO) -> dict[str, Any]:
    try:
        found = read_document(source.read(), name=request["name"], media_type=request["media_type"])
    except InvalidInput as error:
        return {"refused": {"message": error.message, "field": error.field, "fix": error.fix}}
    except MemoryError:
        megabytes = request["memory_bytes"] // _MEGABYTE
        return _refuse(f"the document takes more than {megabytes} MB of memory to read", "split the document")
    except RecursionError:
        return _refuse("the document is nested too deeply", "nest it less deeply")
    except Exception as error:  # a fault of a parser: the same bytes would bring it about again
        return _refuse(f"the document can't be read ({type(error).__name__})", "check the document, or upload its text")
    return {
        "media_type": found.media_type,
        "notes": list(found.notes),
        "parser": found.parser,
        "language": found.language,
        "chunks": [asdict(chunk) for chunk in found.chunks],
    }


def _refuse(message: str, fix: str) -> dict[str, Any]:
    return {"refused": {"message": message, "field": "document", "fix": fix}}


def _limit_process(memory_bytes: int, cpu_seconds: int, output_bytes: int) -> None:
    for kind, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        # The soft limit ends the process by SIGXCPU, the hard one by SIGKILL.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_FSIZE, output_bytes, output_bytes),
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
    ):
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):  # macOS has no limit of address space; Lambda and Linux have all four
            continue
