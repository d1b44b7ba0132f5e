"""Exact repeats are answered from the cache, and nothing else is."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from pydantic import BaseModel

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import ModelUnavailable, StoreUnavailable
from pentad.domain.messages import ImageBlock, Message, ProviderRaw
from pentad.domain.models import CascadeSpec, ChatReply, ChatRequest, StopReason
from pentad.domain.usage import Usage
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.cache.cache import (
    KEYED,
    MAX_REPLY_BYTES,
    MOST_ROUNDS,
    NOT_KEYED,
    CachedChat,
    cache_key,
    decode,
    encode,
    is_cacheable,
)
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names
from tests.unit.models.samples import ADD, CATALOG, CONTEXT, NOW, SCHEMA, Clock, assistant, call, request, user

ASKED = request(user("Is this spam?"), task="classify", output_schema=SCHEMA)
ACTING = ADD.model_copy(update={"effects": "internal"})


def chat_reply(text: str = "yes", **fields: Any) -> ChatReply:
    values: dict[str, Any] = {
        "message": assistant(text),
        "stop": StopReason.END,
        "usage": Usage(input_tokens=10, output_tokens=2),
        "cost_nanousd": 42,
        "provider": "anthropic",
        "model": "claude-haiku-5-5",
    }
    return ChatReply.model_validate(values | fields)


class Counting:
    """A model that counts what it is asked."""

    def __init__(self, reply: ChatReply | None = None) -> None:
        self.asked: list[ChatRequest] = []
        self._reply = reply or chat_reply()

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        self.asked.append(request)
        return self._reply


class World:
    def __init__(self, reply: ChatReply | None = None, cache: Any = None) -> None:
        self.clock, self.inner, self.telemetry = Clock(), Counting(reply), MemoryTelemetry()
        self.cache = cache or MemoryResponseCache(clock=self.clock)
        self.chat = CachedChat(
            self.inner,
            self.cache,
            CATALOG,
            self.telemetry,
            clock=self.clock,
            sleep=self.sleep,
            ids=lambda prefix, _: f"{prefix}_new",
        )
        self.while_waiting: list[Callable[[], object]] = []

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        if self.while_waiting:
            self.while_waiting.pop(0)()

    def ask(self, asked: ChatRequest = ASKED) -> ChatReply:
        return self.chat.complete(asked, deadline=self.clock.now + 60)

    @property
    def outcomes(self) -> list[str]:
        counts = self.telemetry.counts
        return [each.dimensions["outcome"] for each in counts if each.name == names.RESPONSE_CACHE_LOOKUPS]


@pytest.mark.parametrize(("kind", "model"), [("request", ChatRequest), ("message", Message), ("tool", ToolSpec)])
def test_every_field_of_a_request_is_either_part_of_the_key_or_said_not_to_be(
    kind: str, model: type[BaseModel]
) -> None:
    assert KEYED[kind] | NOT_KEYED[kind] == set(model.model_fields)
    assert not KEYED[kind] & NOT_KEYED[kind]


def test_a_repeat_costs_nothing_and_asks_nobody() -> None:
    world = World()
    first, second = world.ask(), world.ask()
    assert (first.cost_nanousd, second.cost_nanousd) == (42, 0)
    assert (second.message.text, second.provider, second.model) == ("yes", "anthropic", "claude-haiku-5-5")
    assert (second.usage, second.attempts, second.notices) == (Usage(), (), ())
    assert len(world.inner.asked) == 1
    assert world.outcomes == ["miss", "hit"]


def test_a_repeat_is_the_message_of_its_own_run_and_step() -> None:
    world = World()
    world.ask()
    later = ASKED.model_copy(update={"context": CONTEXT.model_copy(update={"run_id": "run_other", "step": 9})})
    message = world.ask(later).message
    assert (message.message_id, message.run_id, message.step) == ("msg_run_other_9", "run_other", 9)
    alone = ASKED.model_copy(update={"context": CONTEXT.model_copy(update={"run_id": None, "step": None})})
    assert world.ask(alone).message.message_id == "msg_new"


CHANGES: dict[str, Any] = {
    "task": "extract",
    "tier": "primary",
    "model": "gpt-6-luna",
    "system": "Be brief.",
    "messages": (user("Is that spam?"),),
    "tools": (ADD,),
    "tool_choice": "none",
    "output_schema": {**SCHEMA, "title": "Reply"},
    "max_output_tokens": 7,
    "cascade": CascadeSpec(),
}


@pytest.mark.parametrize("field", sorted(KEYED["request"]))
def test_another_value_of_a_keyed_field_is_another_key(field: str) -> None:
    def key(asked: ChatRequest) -> str:
        return cache_key(asked, CATALOG.route(task=asked.task, tier=asked.tier, model=asked.model))

    assert key(ASKED.model_copy(update={field: CHANGES[field]})) != key(ASKED)


@pytest.mark.parametrize(
    "changed",
    [
        assistant("Is this spam?"),
        user("Is this spam?", ImageBlock(media_type="image/png", data="x")),
        user("Is this spam?").model_copy(update={"raw": ProviderRaw(provider="openai", model="m", content=[])}),
    ],
    ids=["role", "blocks", "raw"],
)
def test_another_message_is_another_key(changed: Message) -> None:
    route = CATALOG.route(task="classify")
    assert cache_key(ASKED.model_copy(update={"messages": (changed,)}), route) != cache_key(ASKED, route)


@pytest.mark.parametrize("field", sorted(KEYED["tool"]))
def test_another_tool_is_another_key(field: str) -> None:
    route = CATALOG.route(task="classify")
    value: Any = {"type": "object"} if field == "input_schema" else "other"
    asked = [request(*ASKED.messages, tools=(tool,)) for tool in (ADD, ADD.model_copy(update={field: value}))]
    assert cache_key(asked[0], route) != cache_key(asked[1], route)


def test_who_asks_and_when_is_no_part_of_the_key() -> None:
    route = CATALOG.route(task="classify")
    other = ASKED.messages[0].model_copy(update={"message_id": "other", "run_id": "run_x", "step": 4})
    asked = ASKED.model_copy(
        update={
            "context": CONTEXT.model_copy(update={"user_id": "ann"}),
            "messages": (other,),
            "prompt_cache": "1h",
        }
    )
    assert cache_key(asked, route) == cache_key(ASKED, route)


def test_the_order_of_a_schemas_properties_is_part_of_the_key() -> None:
    route = CATALOG.route(task="classify")
    one = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    two = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}
    keys = [cache_key(ASKED.model_copy(update={"output_schema": schema}), route) for schema in (one, two)]
    assert keys[0] != keys[1]


def test_another_chain_cap_or_effort_is_another_key() -> None:
    route = CATALOG.route(task="classify")
    changes = ({"links": route.links[:1]}, {"output_tokens": 5}, {"effort": "high"})
    keys = {cache_key(ASKED, route.model_copy(update=change)) for change in ({}, *changes)}
    assert len(keys) == 4


def test_tenants_are_apart() -> None:
    world = World()
    world.ask()
    world.ask(ASKED.model_copy(update={"context": CONTEXT.model_copy(update={"tenant_id": "other"})}))
    assert len(world.inner.asked) == 2


@pytest.mark.parametrize(
    "asked",
    [
        ASKED.model_copy(update={"task": "reason"}),
        ASKED.model_copy(update={"tools": (ACTING,)}),
        ASKED.model_copy(update={"fresh": True}),
    ],
    ids=["a task that does not declare it", "a tool that acts", "asked anew"],
)
def test_what_may_not_be_kept_is_not_even_looked_for(asked: ChatRequest) -> None:
    world = World()
    world.ask(asked)
    world.ask(asked)
    assert len(world.inner.asked) == 2
    assert world.outcomes == []


@pytest.mark.parametrize(
    "fields",
    [
        {"stop": StopReason.MAX_TOKENS},
        {"stop": StopReason.TOOL_CALLS},
        {"message": assistant("Let me add.", call())},
        {"notices": ("The primary model was unavailable.",)},
        {"message": assistant("x" * MAX_REPLY_BYTES)},
    ],
    ids=["cut", "calls", "a call", "a fallback", "too large"],
)
def test_a_reply_that_is_not_whole_and_plain_is_not_kept(fields: dict[str, Any]) -> None:
    reply = chat_reply(**fields)
    assert not is_cacheable(reply) or encode(reply) is None
    world = World(reply)
    world.ask()
    world.ask()
    assert len(world.inner.asked) == 2


def test_an_outage_is_not_kept() -> None:
    class Back(Counting):
        def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
            reply = super().complete(request, deadline=deadline)
            if len(self.asked) == 1:
                raise ModelUnavailable("no model could be reached")
            return reply

    world = World()
    world.chat = CachedChat(Back(), world.cache, CATALOG, world.telemetry, clock=world.clock)
    with pytest.raises(ModelUnavailable):
        world.ask()
    assert world.ask().message.text == "yes"


def test_a_reply_that_an_older_release_kept_is_read() -> None:
    text = encode(chat_reply())
    assert text is not None
    older = json.dumps(json.loads(text) | {"degraded": False})
    assert decode(older) == decode(text) is not None


def test_a_reply_is_forgotten_after_the_tasks_time() -> None:
    world = World()
    world.ask()
    world.clock.now += 86_399
    world.ask()
    assert len(world.inner.asked) == 1
    world.clock.now += 1
    world.ask()
    assert len(world.inner.asked) == 2


class Down:
    """A store that does not answer."""

    def get(self, tenant_id: str, key: str) -> ChatReply | None:
        raise StoreUnavailable("the table did not answer")

    def put(self, tenant_id: str, key: str, reply: ChatReply, *, seconds: int) -> None:
        raise StoreUnavailable("the table did not answer")


def test_a_store_that_is_down_costs_money_but_no_answer() -> None:
    world = World(cache=Down())
    assert world.ask().message.text == "yes"
    assert world.outcomes == ["unavailable"]
    assert [event.name for event in world.telemetry.events] == ["response_cache.not_kept"]


def test_the_time_of_a_kept_message_is_that_of_the_call() -> None:
    world = World()
    world.ask()
    world.clock.now += 60
    assert (world.ask().message.created_at - NOW).total_seconds() == 60


def _place() -> tuple[str, str]:
    return "acme", cache_key(ASKED, CATALOG.route(task="classify"))


class Crowd:
    """Twenty callers of the same at once; whoever asks the model waits until the others have come."""

    def __init__(self, answer: Callable[[int], ChatReply], *, left: float = 60) -> None:
        self.lock, self.asked, self.most, self._now = threading.Lock(), 0, 0, 0
        self._answer, self._left, self.cache = answer, left, MemoryResponseCache()
        self.telemetry, numbers = MemoryTelemetry(), count()
        self.waiting: set[int] = set()
        self._barrier = threading.Barrier(CALLERS)
        self._chat = CachedChat(
            self,
            self.cache,
            CATALOG,
            self.telemetry,
            sleep=self._sleep,
            ids=lambda prefix, _: f"{prefix}_{next(numbers)}",
        )

    def _sleep(self, seconds: float) -> None:
        self.waiting.add(threading.get_ident())
        time.sleep(seconds / 10)

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        with self.lock:
            self.asked, self._now = self.asked + 1, self._now + 1
            self.most, number = max(self.most, self._now), self.asked
        try:
            # The first answers when all others wait for it, however busy the machine is.
            end = time.monotonic() + 20
            while number == 1 and len(self.waiting) < CALLERS - 1 and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(0.05)
            return self._answer(number)
        finally:
            with self.lock:
                self._now -= 1

    def call(self, _: int) -> ChatReply | Exception:
        self._barrier.wait(10)
        try:
            return self._chat.complete(ASKED, deadline=time.time() + self._left)
        except ModelUnavailable as error:
            return error

    def run(self) -> list[ChatReply | Exception]:
        with ThreadPoolExecutor(CALLERS) as pool:
            found = list(pool.map(self.call, range(CALLERS)))
        assert self.cache.find_claim(*_place()) is None
        return found


CALLERS = 20


@pytest.mark.parametrize(
    ("fields", "later"),
    [
        ({}, 1),
        ({"notices": ("Small answered because the primary model was unavailable.",)}, 2),
        ({"stop": StopReason.MAX_TOKENS, "notices": ("The answer was cut at the output limit.",)}, 2),
        ({"stop": StopReason.TOOL_CALLS, "message": assistant(call("c1"))}, 2),
        ({"stop": StopReason.PAUSE}, 2),
    ],
)
def test_identical_requests_at_once_go_out_once(fields: dict[str, Any], later: int) -> None:
    crowd = Crowd(lambda number: chat_reply("yes").model_copy(update=fields))
    found = [one for one in crowd.run() if isinstance(one, ChatReply)]
    assert crowd.asked == 1
    assert len(found) == CALLERS
    assert {(str(one.message.blocks), one.stop, one.notices) for one in found} == {
        (str(found[0].message.blocks), found[0].stop, found[0].notices)
    }
    assert sorted(one.cost_nanousd for one in found)[-2:] == [0, 42]
    # What may not be kept is given to nobody later.
    crowd._chat.complete(ASKED, deadline=time.time() + 60)
    assert crowd.asked == later


def test_where_nothing_comes_that_others_may_have_one_after_the_other_asks_and_then_the_rest() -> None:
    def fail(number: int) -> ChatReply:
        raise ModelUnavailable("down")

    def make_cheaper(number: int) -> ChatReply:
        return chat_reply(notices=("The budget of user 'ada', day is nearly used up, so a smaller model was asked.",))

    for answer in (fail, make_cheaper):
        crowd = Crowd(answer)
        assert len(crowd.run()) == CALLERS
        assert crowd.asked == CALLERS
        assert crowd.most < CALLERS - MOST_ROUNDS + 2


def test_of_those_whose_asker_failed_the_next_one_asks_for_all() -> None:
    def answer(number: int) -> ChatReply:
        if number < 3:
            raise ModelUnavailable("down")
        return chat_reply("yes")

    crowd = Crowd(answer)
    found = crowd.run()
    assert (crowd.asked, crowd.most) == (3, 1)
    assert sum(isinstance(one, ModelUnavailable) for one in found) == 2


def test_the_reply_of_the_one_that_asks_is_given_to_those_who_waited_for_it() -> None:
    world = World()
    world.cache.claim(*_place(), "another", until=world.clock.now + 60)

    def answer() -> None:
        world.cache.put(*_place(), chat_reply("no"), seconds=60)
        world.cache.release(*_place(), "another")

    world.while_waiting = [lambda: None, answer]
    assert (world.ask().message.text, world.inner.asked) == ("no", [])
    assert world.outcomes == ["joined"]


def test_where_the_one_that_asks_gets_nothing_to_give_again_the_next_asks_at_once() -> None:
    world = World()
    world.cache.claim(*_place(), "another", until=world.clock.now + 60)
    world.while_waiting = [lambda: world.cache.release(*_place(), "another")]
    assert world.ask().cost_nanousd == 42
    assert sum(world.clock.slept) < 1
    assert world.outcomes == ["miss"]


def test_whoever_waits_for_one_that_died_asks_after_half_of_its_time() -> None:
    world = World()
    began = world.clock.now
    world.cache.claim(*_place(), "dead", until=began + 300)
    assert world.ask().cost_nanousd == 42
    assert 25 < world.clock.now - began <= 30


def test_of_all_that_wait_for_one_that_died_one_asks_and_the_others_have_its_reply() -> None:
    world = World()
    began = world.clock.now
    world.cache.claim(*_place(), "dead", until=began + 300)

    def pass_time() -> None:
        waited = world.clock.now - began
        if waited > 25:  # Another one gives up a moment earlier than this one.
            world.cache.claim(*_place(), "third", until=began + 60, instead_of="dead")
        if waited > 50:
            world.cache.put(*_place(), chat_reply("no"), seconds=60)
            world.cache.release(*_place(), "third")
        world.while_waiting.append(pass_time)

    world.while_waiting = [pass_time]
    assert (world.ask().message.text, world.inner.asked) == ("no", [])
    assert world.clock.now - began < 53


def test_where_nobody_gets_a_reply_in_time_each_asks_with_what_is_left() -> None:
    world = World()
    began = world.clock.now
    world.cache.claim(*_place(), "dead", until=began + 300)

    def pass_time() -> None:
        if world.clock.now - began > 25:
            world.cache.claim(*_place(), "dead too", until=began + 300, instead_of="dead")
        world.while_waiting.append(pass_time)

    world.while_waiting = [pass_time]
    assert world.ask().cost_nanousd == 42
    assert 55 < world.clock.now - began <= 57


def test_the_reply_of_one_whose_place_was_taken_is_given_to_those_who_wait() -> None:
    world = World()
    began = world.clock.now
    world.cache.claim(*_place(), "slow", until=began + 300)

    def take_place() -> None:
        world.cache.claim(*_place(), "third", until=began + 300, instead_of="slow")

    def answer() -> None:
        world.cache.put(*_place(), chat_reply("no"), seconds=60)

    world.while_waiting = [lambda: None, take_place, answer]
    assert (world.ask().message.text, world.inner.asked) == ("no", [])
    assert world.clock.now - began < 3


def test_one_that_fails_lets_the_next_ask() -> None:
    class Failing(Counting):
        def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
            super().complete(request, deadline=deadline)
            raise [ModelUnavailable("down"), AssertionError()][len(self.asked) - 1]

    world = World()
    inner = Failing()
    world.chat._inner = inner
    for error in (ModelUnavailable, AssertionError):
        with pytest.raises(error):
            world.ask()
        assert world.cache.find_claim(*_place()) is None
    assert len(inner.asked) == 2


def test_a_store_that_is_down_within_the_call_is_not_taken_for_the_caches() -> None:
    class Unpaid(Counting):
        def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
            super().complete(request, deadline=deadline)
            raise StoreUnavailable("the ledger did not answer")

    world = World()
    inner = Unpaid()
    world.chat._inner = inner
    with pytest.raises(StoreUnavailable):
        world.ask()
    assert len(inner.asked) == 1


class Noting(MemoryResponseCache):
    """Keeps in order what it is told; ``fails`` says which of it fails."""

    def __init__(self, clock: Clock, *, fails: bool = False) -> None:
        super().__init__(clock=clock)
        self.told: list[tuple[str, ...]] = []
        self.fails = fails

    def put(self, tenant_id: str, key: str, reply: ChatReply, *, seconds: int) -> None:
        self.told.append(("put",))
        super().put(tenant_id, key, reply, seconds=seconds)

    def note_user(self, tenant_id: str, key: str, user_id: str, *, seconds: int) -> None:
        if self.fails:
            raise StoreUnavailable("the table did not answer")
        self.told.append(("note", tenant_id, user_id, key))


def of_user(user_id: str | None) -> ChatRequest:
    return ASKED.model_copy(update={"context": ASKED.context.model_copy(update={"user_id": user_id})})


def test_whose_run_asks_is_noted_before_a_reply_is_kept_and_whenever_it_is_given_again() -> None:
    cache = Noting(Clock())
    world = World(cache=cache)
    for user_id in ("ada", "bob", None):
        world.ask(of_user(user_id))
    assert len(world.inner.asked) == 1
    tenant, key = ASKED.context.tenant_id, cache_key(ASKED, CATALOG.route(task="classify"))
    assert cache.told == [("note", tenant, "ada", key), ("put",), ("note", tenant, "bob", key)]


def test_where_a_user_can_not_be_noted_nothing_is_kept_nor_given() -> None:
    cache = Noting(Clock(), fails=True)
    world = World(cache=cache)
    world.ask(of_user("ada"))
    assert cache.told == []
    world.ask(of_user(None))
    assert world.ask(of_user("bob")).cost_nanousd == 42
    assert len(world.inner.asked) == 3
