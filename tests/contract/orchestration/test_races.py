"""Two requests at the same instant. moto's conditions are not atomic under threads, so its calls come one by one."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pentad.aws.table import Table
from pentad.domain.errors import PentadError, SessionBusy
from pentad.domain.runs import Run, RunStatus

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
    assert results == [run.model_copy(update={"fence": 1})] * THREADS
    head = racing.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1


def test_of_two_runs_of_a_session_at_once_one_wins(racing: Stores) -> None:
    runs = [make_run(racing) for _ in range(THREADS)]
    results = _race(lambda number: start(racing, runs[number]))
    won = [result for result in results if isinstance(result, Run)]
    assert len(won) == 1
    assert all(isinstance(result, SessionBusy) for result in results if not isinstance(result, Run))
    assert racing.runs.find_lease_holder(TENANT, "s1") == won[0].run_id
    head = racing.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1


def test_of_many_that_may_wait_one_holds_and_all_others_have_a_place_of_their_own(racing: Stores) -> None:
    runs = [make_run(racing, if_busy="enqueue") for _ in range(THREADS)]
    results = _race(lambda number: start(racing, runs[number]))
    stored = [racing.runs.get(TENANT, run.run_id) for run in runs if not isinstance(run, PentadError)]
    assert not [result for result in results if isinstance(result, PentadError)]
    assert [run.run_id for run in stored if not run.waiting] == [racing.runs.find_lease_holder(TENANT, "s1")]
    places = sorted(racing.runs.find_queue_position(TENANT, run.run_id) or 0 for run in stored)
    assert places == list(range(THREADS))


def test_one_of_many_promotions_hands_the_session_over(racing: Stores) -> None:
    holder = start(racing, make_run(racing))
    waiting = [start(racing, make_run(racing, if_busy="enqueue")) for _ in range(3)]
    racing.runs.finish(TENANT, holder.run_id, RunStatus.SUCCEEDED, at=racing.clock(), answer="Hi")
    promoted: list[Run | None] = []

    def promote(_: int) -> Run:
        promoted.append(racing.runs.promote(TENANT, "s1"))
        return holder

    _race(promote)
    assert [run.run_id for run in promoted if run is not None] == [waiting[0].run_id]
    head = racing.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 2


def test_runs_that_join_while_the_holder_ends_are_neither_lost_nor_doubled(racing: Stores) -> None:
    holder = start(racing, make_run(racing))
    runs = [make_run(racing, if_busy="enqueue") for _ in range(THREADS - 1)]

    def work(number: int) -> Run:
        if number == 0:
            return racing.runs.finish(TENANT, holder.run_id, RunStatus.SUCCEEDED, at=racing.clock(), answer="Hi")
        return start(racing, runs[number - 1])

    _race(work)
    served = [run.run_id for run in runs if not racing.runs.get(TENANT, run.run_id).waiting]
    while len(served) < len(runs):
        for run in served:
            racing.runs.finish(TENANT, run, RunStatus.SUCCEEDED, at=racing.clock(), answer="Hi")
        promoted = racing.runs.promote(TENANT, "s1")
        assert promoted is not None
        served.append(promoted.run_id)
    assert sorted(served) == sorted(run.run_id for run in runs)
    head = racing.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1 + len(runs)
