"""An erasure goes on where it was, ends by itself, and says what it could not remove."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.ids import hash_user
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.erasure.adapters.erasures_memory import MemoryErasures
from pentad.orchestration.erasure.erase import ROUNDS, EraseUser, parse_request
from pentad.orchestration.erasure.ports import Erasure, ErasureRequest, ErasureStage, Visit

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REQUEST = ErasureRequest(tenant_id="acme", user_id="ada", erasure_id="era_" + "0" * 26)


class Shelf:
    """A place with things on numbered pages; some can't be removed."""

    def __init__(self, *pages: int, stuck: int = 0, open_run_id: str | None = None) -> None:
        self.pages = list(pages)
        self.stuck = stuck
        self.open_run_id = open_run_id
        self.seen: list[tuple[str, str | None]] = []

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        self.seen.append((stage, cursor))
        page = int(cursor or 0)
        found = self.pages[page] if page < len(self.pages) else 0
        if stage == "remove" and found:
            self.pages[page] = self.stuck if page == 0 else 0
            found -= self.pages[page]
        following = str(page + 1) if page + 1 < len(self.pages) else None
        return Visit(found={"things": found} if found else {}, cursor=following, open_run_id=self.open_run_id)


class Timer:
    """A clock that goes on by a second at each look."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 1
        return self.time


def begin(*places: Shelf) -> tuple[EraseUser, MemoryErasures]:
    erasures = MemoryErasures()
    fields = {"tenant_id": "acme", "erasure_id": REQUEST.erasure_id, "user_hash": hash_user("ada")}
    assert erasures.save(Erasure(**fields, asked_at=NOW, updated_at=NOW)) is not None
    return EraseUser(erasures, places, MemoryTelemetry(), now=lambda: NOW, timer=Timer()), erasures


def read(erasures: MemoryErasures) -> Erasure:
    found = erasures.get("acme", hash_user("ada"), REQUEST.erasure_id)
    assert found is not None
    return found


def test_it_surveys_the_first_place_then_removes_then_looks_everywhere() -> None:
    first, second = Shelf(1, 2), Shelf(4)
    erase, erasures = begin(first, second)
    assert erase.run(REQUEST, deadline=1_000) is None
    done = read(erasures)
    assert (done.status, done.removed, done.left, done.checked_at) == ("done", {"things": 7}, {}, NOW)
    pages = [("survey", None), ("survey", "1"), ("remove", None), ("remove", "1"), ("check", None), ("check", "1")]
    assert first.seen == pages
    assert second.seen == [("remove", None), ("check", None)]
    assert erase.run(REQUEST, deadline=1_000) is None
    assert read(erasures) == done


def test_with_little_time_it_stops_between_pages_and_goes_on_there() -> None:
    place = Shelf(1, 1, 1, 1)
    erase, erasures = begin(place)
    again = [erase.run(REQUEST, deadline=erase._timer() + 18) for _ in range(30)]
    assert again[0] == 0
    assert again[-1] is None
    assert (read(erasures).status, read(erasures).removed) == ("done", {"things": 4})
    assert place.seen == [(stage, page) for stage in ("survey", "remove", "check") for page in (None, "1", "2", "3")]


def test_what_can_not_be_removed_ends_it_after_some_rounds_with_growing_waits() -> None:
    erase, erasures = begin(Shelf(3, stuck=2))
    waits = [erase.run(REQUEST, deadline=1_000) for _ in range(ROUNDS)]
    assert waits[:3] == [4, 8, 16]
    assert waits[-2:] == [600, None]
    ended = read(erasures)
    assert (ended.status, ended.left, ended.removed) == ("incomplete", {"things": 2}, {"things": 1})


def test_a_run_under_way_refuses_it_before_anything_is_removed() -> None:
    run_id = "run_" + "0" * 26
    place = Shelf(3, open_run_id=run_id)
    erase, erasures = begin(place)
    assert erase.run(REQUEST, deadline=1_000) is None
    assert (read(erasures).status, read(erasures).open_run_id, place.pages) == ("refused", run_id, [3])


def test_two_workers_do_not_count_twice() -> None:
    class Slow(Shelf):
        def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
            if not self.seen:
                self.seen.append(("survey", None))
                other.run(REQUEST, deadline=1_000)
            return super().visit(tenant_id, user_id, cursor, stage=stage)

    place = Slow(1)
    erase, erasures = begin(place)
    other = EraseUser(erasures, (place,), MemoryTelemetry(), now=lambda: NOW, timer=Timer())
    assert erase.run(REQUEST, deadline=1_000) is None
    assert (read(erasures).status, read(erasures).removed) == ("done", {"things": 1})


def test_what_names_no_erasure_is_refused() -> None:
    assert parse_request({"detail": REQUEST.model_dump(mode="json")}) == REQUEST
    details: tuple[Any, ...] = (None, {}, [], {"tenant": "acme", "user": "../x", "erasure": REQUEST.erasure_id})
    for detail in details:
        with pytest.raises(InvalidInput):
            parse_request({"detail": detail})
    erase, _ = begin(Shelf(1))
    with pytest.raises(NotFound):
        erase.run(REQUEST.model_copy(update={"user_id": "bob"}), deadline=1_000)
