"""Secrets never show: every test that plants a key gives it this mark, and nothing the suite says may hold it.

All that is logged while a test runs, by whichever logger and with its traceback, and every text that our own exceptions
are made with is searched for the mark. The test at fault fails.
"""

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from pentad.domain.errors import PentadError
from pentad.models.providers.exchange import ProviderFailure

MARK = "do-not-show"
_MAX_FOUND = 20


class Watch(logging.Handler):
    """Looks for the mark in whatever it is given."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.found: list[str] = []
        self.searched = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.search(f"the log of {record.name}", record.getMessage(), vars(record))
        if record.exc_info and record.exc_info[1] is not None:
            self.search(f"a traceback in the log of {record.name}", *traceback.format_exception(record.exc_info[1]))

    def search(self, where: str, *texts: Any) -> None:
        """Note where the mark is."""
        self.searched += 1
        if any(MARK in str(text) for text in texts) and len(self.found) < _MAX_FOUND:
            self.found.append(where)

    def taken(self) -> list[str]:
        """Return what was found, and forget it."""
        found, self.found = self.found, []
        return found


def _listen(kind: type[BaseException], watch: Watch, patch: pytest.MonkeyPatch) -> None:
    original = kind.__init__

    def watched(self: BaseException, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        watch.search(f"the text of {type(self).__name__}", str(self), repr(self), args, kwargs)

    patch.setattr(kind, "__init__", watched)


@pytest.fixture(scope="session")
def secrets_watch() -> Iterator[Watch]:
    """What looks for planted secrets all through the session."""
    watch, patch, root = Watch(), pytest.MonkeyPatch(), logging.getLogger()
    root.addHandler(watch)
    for kind in (PentadError, ProviderFailure):
        _listen(kind, watch, patch)
    yield watch
    patch.undo()
    root.removeHandler(watch)
    assert watch.taken() == [], "a planted secret showed after the last test"


@pytest.fixture(autouse=True)
def _no_secret_shows(secrets_watch: Watch) -> Iterator[None]:
    yield
    assert secrets_watch.taken() == [], "a planted secret showed"
