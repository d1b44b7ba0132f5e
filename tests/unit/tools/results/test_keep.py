"""What is shown in part is kept whole, and a call is not lost where it can't be."""

import pytest

from pentad.domain.canonical import arguments_hash
from pentad.domain.errors import PentadError, StoreUnavailable
from pentad.domain.runs import CallStatus, ToolCall
from pentad.tools.results import keep
from pentad.tools.results.adapters.whole_memory import MemoryWholeResults
from pentad.tools.results.handles import make_handle, make_key
from pentad.tools.results.keep import KeepResults, make_remote_fit

RUN = "run_" + "0" * 26
CALL = ToolCall(
    tenant_id="acme",
    run_id=RUN,
    step=2,
    index=7,
    call_id="c",
    tool="t",
    arguments={},
    arguments_hash=arguments_hash({}),
    status=CallStatus.PENDING,
)
KEY, HANDLE = make_key("acme", RUN, 2, 7), make_handle("acme", RUN, 2, 7)


class Down(MemoryWholeResults):
    """Takes nothing."""

    def put(self, key: str, data: bytes) -> None:
        raise StoreUnavailable("the bucket did not answer")


def test_a_result_is_kept_below_its_run_and_named() -> None:
    store = MemoryWholeResults()
    shown = KeepResults(store).make_fit(CALL)("x" * 5_000, 1_000)
    assert store.kept == {KEY: b"x" * 5_000} and HANDLE in shown
    assert KEY.startswith(f"acme/runs/{RUN}/")


def test_a_result_that_fits_is_not_stored() -> None:
    store = MemoryWholeResults()
    assert KeepResults(store).make_fit(CALL)("x" * 5_000, 5_000) == "x" * 5_000
    assert store.kept == {}


def test_where_it_can_not_be_kept_the_part_is_shown_and_it_is_told() -> None:
    told: list[PentadError] = []
    shown = KeepResults(Down(), told.append).make_fit(CALL)("x" * 5_000, 1_000)
    assert "not kept]" in shown and HANDLE not in shown
    assert [type(error) for error in told] == [StoreUnavailable]


def test_a_function_puts_it_to_the_address_that_was_signed_for_its_call() -> None:
    store = MemoryWholeResults()
    place = KeepResults(store).sign(CALL, seconds=30)
    assert place is not None and "memory:" not in repr(place)
    assert HANDLE in make_remote_fit(place, store)("y" * 5_000, 1_000)
    assert store.kept == {KEY: b"y" * 5_000}


@pytest.mark.parametrize("upload", [None, Down()])
def test_a_function_without_an_address_or_a_way_shows_the_part(upload: MemoryWholeResults | None) -> None:
    place = KeepResults(MemoryWholeResults()).sign(CALL, seconds=30)
    assert "not kept]" in make_remote_fit(place, upload)("y" * 5_000, 1_000)
    assert KeepResults(None).sign(CALL, seconds=30) is None


def test_of_what_is_too_large_to_keep_the_beginning_is_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "MAX_WHOLE_BYTES", 2_000)
    store = MemoryWholeResults()
    KeepResults(store).make_fit(CALL)("ü" * 5_000, 1_000)
    kept = store.kept[KEY].decode()
    assert len(store.kept[KEY]) <= 2_000 and kept.endswith(
        "[cut: the whole had 10,000 bytes, of which 2,000 were kept]"
    )
