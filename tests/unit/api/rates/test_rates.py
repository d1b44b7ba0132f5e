"""How many costly requests a key, a user and a tenant may make."""

import json
from dataclasses import replace

import pytest

from pentad.api.identity.caller import Caller
from pentad.api.rates.adapters.rates_memory import MemoryRateCounter
from pentad.api.rates.kinds import CHANGING_ROUTES, KINDS, STARTING_ROUTES, Kind, list_kinds
from pentad.api.rates.rates import BATCH, RateLimits, RequestRate, RequestRates
from pentad.api.routes import ROUTES
from pentad.domain.errors import ModelThrottled, StoreUnavailable
from pentad.domain.ids import hash_user
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names

LIMITS = RateLimits(starts=RequestRate(key=3, user=2, tenant=5), reads=RequestRate(key=60, user=60, tenant=100))
KEY = Caller("acme", "k1", None, frozenset())


class World:
    """RequestRates with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000_035.0  # 15 seconds into its minute
        self.telemetry = MemoryTelemetry()
        self.rates = RequestRates(MemoryRateCounter(), self.telemetry, limits=LIMITS, clock=lambda: self.now)

    def count_admitted(self, caller: Caller, tries: int, kind: Kind = "starts") -> int:
        admitted = 0
        for _ in range(tries):
            try:
                self.rates.admit(caller, kind)
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
        def take(self, tenant_id: str, subject: str, *, window: int, most: int, count: int = 1) -> bool:
            counted.append(subject)
            return super().take(tenant_id, subject, window=window, most=most, count=count)

    RequestRates(Noting(), MemoryTelemetry()).admit(replace(KEY, user_id="ada@example.com"), "starts")
    assert counted == ["key#k1", f"user#{hash_user('ada@example.com')}", "all"]


def test_keys_of_a_tenant_share_its_rate_and_take_none_of_anothers() -> None:
    world = World()
    assert [world.count_admitted(replace(KEY, key_id=key), 3) for key in ("k1", "k2", "k3")] == [3, 2, 0]
    assert world.count_admitted(replace(KEY, tenant_id="other"), 5) == 3


def test_a_refusal_says_whose_rate_it_is_and_when_to_come_again() -> None:
    world = World()
    world.count_admitted(KEY, 3)
    with pytest.raises(ModelThrottled, match="this key may make 3") as error:
        world.rates.admit(KEY, "starts")
    assert error.value.retry_after == 45
    assert sum(count.value for count in world.telemetry.counts if count.name == names.RATE_REFUSALS) == 1


class Counted(MemoryRateCounter):
    """Counts the writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def take(self, tenant_id: str, subject: str, *, window: int, most: int, count: int = 1) -> bool:
        self.writes += 1
        return super().take(tenant_id, subject, window=window, most=most, count=count)


def test_who_polls_costs_a_write_in_twenty_and_none_once_the_rate_is_used_up() -> None:
    world, counter = World(), Counted()
    world.rates = RequestRates(counter, world.telemetry, limits=LIMITS, clock=lambda: world.now)
    assert world.count_admitted(KEY, BATCH - 1, "reads") == BATCH - 1
    assert counter.writes == 0
    assert world.count_admitted(KEY, 500, "reads") == 60  # less than a batch beyond the 60
    assert counter.writes == 3 * 2 + 1
    world.now += 60
    assert world.count_admitted(KEY, 10, "reads") == 10


def test_reads_of_many_processes_come_to_one_rate() -> None:
    world, counter = World(), Counted()
    admitted = 0
    for _ in range(4):
        world.rates = RequestRates(counter, world.telemetry, limits=LIMITS, clock=lambda: world.now)
        admitted += world.count_admitted(KEY, 40, "reads")
    assert 60 <= admitted <= 60 + 4 * BATCH


def test_a_used_up_rate_of_one_kind_takes_nothing_of_another() -> None:
    world = World()
    assert world.count_admitted(KEY, 10, "starts") == 3
    assert world.count_admitted(KEY, 10, "changes") == 10  # who floods can still be cancelled
    assert world.count_admitted(KEY, 10, "waits") == 10


def test_users_with_tokens_share_the_tenants_rate_only() -> None:
    world = World()
    users = [replace(KEY, key_id="jwt", user_id=name) for name in ("ada", "bob", "eve")]
    assert [world.count_admitted(user, 5) for user in users] == [2, 2, 1]


def test_what_can_not_be_counted_goes_through() -> None:
    class Down:
        def take(self, tenant_id: str, subject: str, *, window: int, most: int, count: int = 1) -> bool:
            raise StoreUnavailable("down")

    world = World()
    world.rates = RequestRates(Down(), world.telemetry, limits=LIMITS)
    assert world.count_admitted(KEY, 10) == 10
    assert [(event.name, event.fields["error"]) for event in world.telemetry.events] == [
        ("rates.uncounted", "down")
    ] * 10


def test_every_route_that_starts_something_is_counted() -> None:
    changing = {route.name for route in ROUTES if route.method != "GET"}
    # The messages of MCP are counted by what they do.
    assert changing - {"call_mcp"} == STARTING_ROUTES | CHANGING_ROUTES
    assert set(KINDS) == set(vars(RateLimits()))


MESSAGES = {
    ("tools/list", ()): ("reads",),
    ("tools/call", ()): ("waits",),
    ("tasks/result", ()): ("waits",),
    ("tasks/get", ()): ("reads",),
    ("tasks/cancel", ("taskId",)): ("changes",),
    ("tasks/update", ("taskId",)): ("changes",),
    ("tools/call", ("inputResponses", "requestState")): ("changes", "waits"),
}


@pytest.mark.parametrize(("method", "named"), list(MESSAGES))
def test_a_message_of_mcp_is_counted_by_what_it_does(method: str, named: tuple[str, ...]) -> None:
    body = json.dumps({"method": method, "params": dict.fromkeys(named, "run_" + "0" * 26)})
    assert list_kinds("call_mcp", {}, body) == MESSAGES[method, named]


@pytest.mark.parametrize("body", ["", "[", "[]", "{}", '"tools/call"', '{"method": ["tools/call"]}', "[" * 100_000])
def test_a_message_that_is_none_is_a_read(body: str) -> None:
    assert list_kinds("call_mcp", {}, body) == ("reads",)


@pytest.mark.parametrize(
    ("route", "headers", "kinds"),
    [
        ("start_run", {}, ("starts",)),
        ("start_run", {"prefer": "respond-async, wait=5"}, ("starts", "waits")),
        ("start_run", {"prefer": "wait=soon"}, ("starts",)),
        ("start_bulk_ingest", {}, ("starts", "bulk")),
        ("get_run", {"prefer": "wait=5"}, ("reads",)),
        ("cancel_run", {}, ("changes",)),
    ],
)
def test_a_request_is_counted_by_its_route_and_by_how_long_it_holds_on(
    route: str, headers: dict[str, str], kinds: tuple[str, ...]
) -> None:
    assert list_kinds(route, headers, "") == kinds
