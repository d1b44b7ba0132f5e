"""A store's two searches run at once, and an error of either is told."""

import threading

import pytest

from pentad.domain.errors import StoreUnavailable
from pentad.memory.retrieval.adapters.at_once import search_both


def test_both_searches_run_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)

    def search(found: str) -> list[str]:
        both.wait()  # nobody passes alone
        return [found]

    assert search_both(lambda: search("near"), lambda: search("worded")) == (["near"], ["worded"])


def test_a_search_that_is_not_wanted_finds_nothing_and_needs_no_thread() -> None:
    names: list[str] = []

    def search() -> list[str]:
        names.append(threading.current_thread().name)
        return ["found"]

    assert search_both(search, None) == (["found"], ())
    assert search_both(None, search) == ((), ["found"])
    assert search_both(None, None) == ((), ())
    assert set(names) == {threading.current_thread().name}


@pytest.mark.parametrize("failing", [(True, False), (False, True), (True, True)])
def test_an_error_of_either_is_raised_once_both_have_ended(failing: tuple[bool, bool]) -> None:
    ended: list[int] = []

    def search(number: int) -> list[str]:
        ended.append(number)
        if failing[number]:
            raise StoreUnavailable(f"search {number}")
        return []

    with pytest.raises(StoreUnavailable, match=f"search {failing.index(True)}"):
        search_both(lambda: search(0), lambda: search(1))
    assert sorted(ended) == [0, 1]
