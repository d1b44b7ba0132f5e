"""What is renewed while a block runs, with real threads and a clock set by hand."""

import threading
from collections.abc import Callable

import pytest

from pentad.aws.heartbeat import Heartbeat
from pentad.domain.errors import StoreUnavailable


class Held:
    """Something with an end, which may refuse to be renewed."""

    def __init__(self) -> None:
        self.renewals, self.tries, self.refuses, self.now = 0, 0, False, 0.0
        self.turned = threading.Condition()

    def renew(self) -> None:
        with self.turned:
            self.tries += 1
            self.turned.notify_all()
            if self.refuses:
                raise StoreUnavailable("another holds it")
            self.renewals += 1

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        with self.turned:
            assert self.turned.wait_for(is_so, 10)

    def beat(self) -> Heartbeat:
        return Heartbeat(self.renew, seconds=30, spare_seconds=10, every=0.001, clock=lambda: self.now)


def test_it_is_renewed_while_the_block_runs_and_not_after() -> None:
    held = Held()
    with held.beat() as beat:
        held.wait_for(lambda: held.renewals >= 2)
        held.now = 100.0
        seen = held.tries
        held.wait_for(lambda: held.tries >= seen + 2)
        beat.check()
    ended = held.tries
    assert not any(thread.name == "heartbeat" for thread in threading.enumerate())
    assert held.tries == ended


def test_what_can_not_be_renewed_counts_as_lost_before_its_end() -> None:
    held = Held()
    held.refuses = True
    with held.beat() as beat:
        held.now = 20.0
        held.wait_for(lambda: held.tries >= 2)
        beat.check()
        held.now = 21.0
        with pytest.raises(StoreUnavailable):
            beat.check()


def test_a_renewal_that_fails_once_is_tried_again() -> None:
    held = Held()
    held.refuses = True
    with held.beat() as beat:
        held.wait_for(lambda: held.tries >= 1)
        held.now = 25.0
        held.refuses = False
        seen = held.renewals
        held.wait_for(lambda: held.renewals >= seen + 2)
        beat.check()
