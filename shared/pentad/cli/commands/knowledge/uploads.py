"""Upload files: addresses for many in one request, some files at once, and what the API is too busy for again."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from pentad.cli.client import ApiClient, ProblemError, describe_document
from pentad.cli.console import ERR, EXIT_UNAVAILABLE, CommandError

UPLOADS_AT_ONCE = 100
"""Documents that the API gives addresses for in one request, at most."""
RETRY_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 16.0
_ATTEMPTS = 9
_BUSY = frozenset({409, 412, 429, 500, 502, 503, 504})
"""Statuses after which a request is sent again: throttled, overloaded, or overtaken by another upload."""
_THREADS = 8
"""Files that are sent at once."""
_FRESH_SECONDS = 200.0
"""For how long addresses are used: they are good for 300 s, and many large files may take longer."""

Json = dict[str, Any]


class LocalFile(NamedTuple):
    """A file that becomes a document, and what its content is labelled with."""

    path: Path
    media_type: str


def upload_all(client: ApiClient, sources: Mapping[str, LocalFile]) -> dict[str, str]:
    """Upload files by their documents' names, some at once, and return why some were refused.

    Their addresses are asked for in batches: requests are limited by the minute, and a folder may have thousands.
    """
    refused: dict[str, str] = {}
    stop = Event()
    size = min(UPLOADS_AT_ONCE, -(-len(sources) // _THREADS)) or 1
    with ERR.build_progress() as progress, ThreadPoolExecutor(_THREADS) as pool:
        advance = partial(progress.advance, progress.add_task("uploading", total=len(sources)))
        names = list(sources)
        batches = [{name: sources[name] for name in names[at : at + size]} for at in range(0, len(names), size)]
        try:
            for done in as_completed([pool.submit(_upload, client, batch, advance, stop) for batch in batches]):
                refused |= done.result()
        finally:
            stop.set()  # Where it is interrupted, what waits is not begun.
    return refused


def _upload(
    client: ApiClient, sources: dict[str, LocalFile], advance: Callable[[], None], stop: Event
) -> dict[str, str]:
    """Upload a batch one by one, and return why some of it were refused."""
    refused: dict[str, str] = {}
    left = dict(sources)
    while left and not stop.is_set():
        try:
            for name, answer in _request_addresses(client, left, refused):
                if stop.is_set():
                    break
                fault = _send(client, name, left.pop(name), answer)
                refused |= {} if fault is None else {name: fault}
                advance()
        except CommandError as error:
            refused |= dict.fromkeys(left, str(error))
            break
    return refused


def _request_addresses(
    client: ApiClient, left: dict[str, LocalFile], refused: dict[str, str]
) -> Iterator[tuple[str, Json]]:
    """Yield documents with what the API answers to them, as long as the addresses are fresh."""
    asked: dict[str, Json] = {}
    for name, source in list(left.items()):
        try:
            asked[name] = describe_document(name, source.media_type, source.path.read_bytes())
        except OSError as error:
            refused[name] = str(error)
            del left[name]
    if not asked:
        return
    answers = try_again(lambda: client.request_uploads(list(asked.values())))
    begun = time.monotonic()
    for name, answer in zip(asked, answers, strict=True):
        if time.monotonic() - begun > _FRESH_SECONDS:
            return
        yield name, answer


def _send(client: ApiClient, name: str, source: LocalFile, answer: Json) -> str | None:
    """Upload a document to the address that was answered, and return why it was refused, or None."""
    problem = answer["problem"]
    if problem is not None and problem["status"] not in _BUSY:
        return str(ProblemError(problem["status"], problem))
    try:
        content = source.path.read_bytes()
        if problem is None and _is_taken(client, name, answer["upload"], content):
            return None
        # It was overtaken, has changed meanwhile, or something is overloaded: an address of its own for what it is now.
        try_again(lambda: client.upload_document(name, source.media_type, content))
    except (CommandError, OSError) as error:
        return str(error)
    return None


def _is_taken(client: ApiClient, name: str, ticket: Json, content: bytes) -> bool:
    try:
        client.send_upload(name, ticket, content)
    except CommandError:
        return False
    return True


def try_again(call: Callable[[], Any]) -> Any:
    """Return what a call returns, tried again for a minute where the API is busy: limits count by the minute."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return call()
        except CommandError as error:
            busy = error.status in _BUSY if isinstance(error, ProblemError) else error.code == EXIT_UNAVAILABLE
            if not busy or attempt == _ATTEMPTS:
                raise
            time.sleep(min(RETRY_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS))
    return None
