"""How many costly requests a key, a user and a tenant may make."""

from dataclasses import replace

import pytest

from pentad.api.identity.caller import Caller
from pentad.api.rates.adapters.rates_memory import MemoryRateCounter
from pentad.api.rates.rates import COSTLY_ROUTES, RateLimits, RequestRates
from pentad.api.routes import ROUTES
from pentad.domain.errors import ModelThrottled, StoreUnavailable
from pentad.domain.ids import hash_user
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names

LIMITS = RateLimits(key=3, user=2, tenant=5)
KEY = Caller("acme", "k1", None, frozenset())


class World:
    """RequestRates with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000_035.0  # 15 seconds into its minute
        self.telemetry = MemoryTelemetry()
        self.rates = RequestRates(MemoryRateCounter(), self.telemetry, limits=LIMITS, clock=lambda: self.now)

    def count_admitted(self, caller: Caller, tries: int, route: str = "start_run") -> int:
        admitted = 0
        for _ in range(tries):
            try:
                self.rates.admit(caller, route)
                admitted += 1
            except ModelThrottled:
                continue
        return admitted


def test_a_key_may_make_so_many_in_a_minute_and_again_in_the_next() -> None:
    world = World()
    assert world.count_admitted(KEY, 10) == 3
    world.now += 60
    assert world.count_admitted(KEY, 10) == 3


def test_a_user_has_one_rate_with_all_keys() -> None:
    world = World()
    assert [world.count_admitted(replace(KEY, key_id=key, user_id="ada"), 5) for key in ("k1", "k2")] == [2, 0]
    assert world.count_admitted(replace(KEY, key_id="k3", user_id="bob"), 5) == 2


def test_a_users_count_names_the_user_by_the_hash_alone() -> None:
    counted: list[str] = []

    class Noting(MemoryRateCounter):
        def take(self, tenant_id: str, subject: str, *, window: int, most: int) -> bool:
            counted.append(subject)
            return super().take(tenant_id, subject, window=window, most=most)

    RequestRates(Noting(), MemoryTelemetry()).admit(replace(KEY, user_id="ada@example.com"), "start_run")
    assert counted == ["key#k1", f"user#{hash_user('ada@example.com')}", "all"]


def test_keys_of_a_tenant_share_its_rate_and_take_none_of_anothers() -> None:
    world = World()
    assert [world.count_admitted(replace(KEY, key_id=key), 3) for key in ("k1", "k2", "k3")] == [3, 2, 0]
    assert world.count_admitted(replace(KEY, tenant_id="other"), 5) == 3


def test_a_refusal_says_whose_rate_it_is_and_when_to_come_again() -> None:
    world = World()
    world.count_admitted(KEY, 3)
    with pytest.raises(ModelThrottled, match="this key may make 3") as error:
        world.rates.admit(KEY, "start_run")
    assert error.value.retry_after == 45
    assert sum(count.value for count in world.telemetry.counts if count.name == names.RATE_REFUSALS) == 1


def test_requests_that_cost_nothing_are_not_counted() -> None:
    world = World()
    assert world.count_admitted(KEY, 50, "get_run") == 50


def test_what_can_not_be_counted_goes_through() -> None:
    class Down:
        def take(self, tenant_id: str, subject: str, *, window: int, most: int) -> bool:
            raise StoreUnavailable("down")

    world = World()
    world.rates = RequestRates(Down(), world.telemetry, limits=LIMITS)
    assert world.count_admitted(KEY, 10) == 10
    assert [(event.name, event.fields["error"]) for event in world.telemetry.events] == [
        ("rates.uncounted", "down")
    ] * 10


def test_every_route_that_starts_something_is_counted() -> None:
    starting = {route.name for route in ROUTES if route.method == "POST"}
    free = {"cancel_run", "decide_approval", "close_review"}  # they end or continue what was counted
    free |= {"call_mcp"}  # its server counts the calls of tools, and no questions about them
    assert (starting - free) | {"erase_user"} == COSTLY_ROUTES
