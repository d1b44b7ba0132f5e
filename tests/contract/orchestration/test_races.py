"""Two requests at the same instant."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pentad.domain.errors import PentadError, SessionBusy
from pentad.domain.runs import Run, RunStatus

from .stores import Stores
from .test_runs import TENANT, make_run, start

THREADS = 8


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


def test_the_same_request_at_once_is_one_run(stores: Stores) -> None:
    run = make_run(stores)
    results = _race(lambda _: start(stores, run))
    assert results == [run.model_copy(update={"fence": 1})] * THREADS
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1


def test_of_two_runs_of_a_session_at_once_one_wins(stores: Stores) -> None:
    runs = [make_run(stores) for _ in range(THREADS)]
    results = _race(lambda number: start(stores, runs[number]))
    won = [result for result in results if isinstance(result, Run)]
    assert len(won) == 1
    assert all(isinstance(result, SessionBusy) for result in results if not isinstance(result, Run))
    assert stores.runs.find_lease_holder(TENANT, "s1") == won[0].run_id
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1


def test_of_many_that_may_wait_one_holds_and_all_others_have_a_place_of_their_own(stores: Stores) -> None:
    runs = [make_run(stores, if_busy="enqueue") for _ in range(THREADS)]
    results = _race(lambda number: start(stores, runs[number]))
    stored = [stores.runs.get(TENANT, run.run_id) for run in runs if not isinstance(run, PentadError)]
    assert not [result for result in results if isinstance(result, PentadError)]
    assert [run.run_id for run in stored if not run.waiting] == [stores.runs.find_lease_holder(TENANT, "s1")]
    places = sorted(stores.runs.find_queue_position(TENANT, run.run_id) or 0 for run in stored)
    assert places == list(range(THREADS))


def test_one_of_many_promotions_hands_the_session_over(stores: Stores) -> None:
    holder = start(stores, make_run(stores))
    waiting = [start(stores, make_run(stores, if_busy="enqueue")) for _ in range(3)]
    stores.runs.finish(TENANT, holder.run_id, RunStatus.SUCCEEDED, at=stores.clock(), answer="Hi")
    promoted: list[Run | None] = []

    def promote(_: int) -> Run:
        promoted.append(stores.runs.promote(TENANT, "s1"))
        return holder

    _race(promote)
    assert [run.run_id for run in promoted if run is not None] == [waiting[0].run_id]
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 2


def test_runs_that_join_while_the_holder_ends_are_neither_lost_nor_doubled(stores: Stores) -> None:
    holder = start(stores, make_run(stores))
    runs = [make_run(stores, if_busy="enqueue") for _ in range(THREADS - 1)]

    def work(number: int) -> Run:
        if number == 0:
            return stores.runs.finish(TENANT, holder.run_id, RunStatus.SUCCEEDED, at=stores.clock(), answer="Hi")
        return start(stores, runs[number - 1])

    _race(work)
    served = [run.run_id for run in runs if not stores.runs.get(TENANT, run.run_id).waiting]
    while len(served) < len(runs):
        for run in served:
            stores.runs.finish(TENANT, run, RunStatus.SUCCEEDED, at=stores.clock(), answer="Hi")
        promoted = stores.runs.promote(TENANT, "s1")
        assert promoted is not None
        served.append(promoted.run_id)
    assert sorted(served) == sorted(run.run_id for run in runs)
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1 + len(runs)
