"""A tenant's share of the gateway."""

from contextlib import ExitStack

import pytest

from pentad.domain.errors import ModelThrottled, StoreUnavailable
from pentad.models.shares.adapters.shares_memory import MemoryShares
from pentad.models.shares.fair_share import SLOT_SECONDS, FairShare
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names


class World:
    """A share of two calls, with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.telemetry = MemoryTelemetry()
        self.share = FairShare(MemoryShares(), self.telemetry, most=2, clock=lambda: self.now)


def test_one_tenant_holds_its_share_and_no_more_and_others_have_theirs() -> None:
    world = World()
    with ExitStack() as calls:
        for tenant_id in ("acme", "acme", "other", "other"):
            calls.enter_context(world.share.hold(tenant_id))
        with pytest.raises(ModelThrottled, match="2 model calls") as error, world.share.hold("acme"):
            pass
        assert error.value.retry_after is not None
    assert sum(count.value for count in world.telemetry.counts if count.name == names.SHARE_REFUSALS) == 1
    with world.share.hold("acme"), world.share.hold("acme"):
        pass


def test_a_call_that_fails_gives_its_slot_back() -> None:
    world = World()
    for _ in range(5):
        with pytest.raises(ValueError, match="broken"), world.share.hold("acme"):
            raise ValueError("broken")


def test_a_slot_of_a_process_that_died_is_free_when_its_time_is_over() -> None:
    world = World()
    for _ in range(2):
        world.share._take("acme")
    with pytest.raises(ModelThrottled), world.share.hold("acme"):
        pass
    world.now += SLOT_SECONDS
    with world.share.hold("acme"), world.share.hold("acme"):
        pass


def test_a_store_that_does_not_answer_stops_no_call() -> None:
    class Down(MemoryShares):
        def take(self, *_: object, **__: object) -> bool:
            raise StoreUnavailable("down")

        def give_back(self, *_: object, **__: object) -> None:
            raise StoreUnavailable("down")

    share = FairShare(Down(), MemoryTelemetry(), most=0)
    ran = []
    with share.hold("acme"):
        ran.append(True)
    assert ran == [True]
