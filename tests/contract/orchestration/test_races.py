"""Two requests at the same instant. moto's conditions are not atomic under threads, so its calls come one by one."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pentad.aws.table import Table
from pentad.domain.errors import PentadError, SessionBusy
from pentad.domain.runs import Run

from .stores import KINDS, Stores, open_stores
from .test_runs import TENANT, make_run, start

THREADS = 8


class Serialised:
    """A client whose calls come one by one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def locked(**arguments: Any) -> Any:
            with self._lock:
                return call(**arguments)

        return locked


@pytest.fixture(params=KINDS)
def racing(request: pytest.FixtureRequest) -> Iterator[Stores]:
    with open_stores(request.param) as opened:
        if opened.state is not None and opened.transient is not None:
            serialised = Serialised(opened.state._client)
            for table in (opened.state, opened.transient):
                _replace_client(table, serialised)
        yield opened


def _replace_client(table: Table, client: Any) -> None:
    table._client = client


def _race(work: Callable[[int], Run]) -> list[Run | PentadError]:
    barrier = threading.Barrier(THREADS)

    def one(number: int) -> Run | PentadError:
        barrier.wait(timeout=30)
        try:
            return work(number)
        except PentadError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_the_same_request_at_once_is_one_run(racing: Stores) -> None:
    run = make_run(racing)
    results = _race(lambda _: start(racing, run))
    assert results == [run] * THREADS
    head = racing.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1


def test_of_two_runs_of_a_session_at_once_one_wins(racing: Stores) -> None:
    runs = [make_run(racing) for _ in range(THREADS)]
    results = _race(lambda number: start(racing, runs[number]))
    won = [result for result in results if isinstance(result, Run)]
    assert len(won) == 1
    assert all(isinstance(result, SessionBusy) for result in results if not isinstance(result, Run))
    assert racing.runs.lease_holder(TENANT, "s1") == won[0].run
    head = racing.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1
