"""Something goes wrong at each step of a call: nothing stays held or begun, and no paid reply is lost beside it."""

from collections.abc import Callable
from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError
from pentad.domain.models import CallContext, ChatReply, ChatRequest, Outcome
from pentad.models.breaker.adapters.breaker_memory import MemoryCircuits
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore
from pentad.models.budgets.budgets import define
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.gateway.compose import compose_chat
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import ProviderFailure
from pentad.models.shares.adapters.shares_memory import MemoryShares
from pentad.models.shares.fair_share import FairShare
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.models.samples import CATALOG, Answer, Clock, ScriptedProvider, reply, user

BEHIND = ("breaker.report", "circuits.", "cache.", "shares.give_back")
"""What is asked beside a call: without it the call goes on."""
SCRIPTS: dict[str, tuple[str, list[Answer]]] = {
    "plain": ("reason", [reply("yes")]),
    "kept": ("classify", [reply("yes")]),
    "again": ("reason", [ProviderFailure(Outcome.OVERLOAD, "529"), reply("yes")]),
}


class World:
    """All that a call passes through; step ``at`` of it raises, before it is done or after.

    Args:
        script: one of `SCRIPTS`.
        at: which step, from 1; 0 for none.
        after: it is done, and its answer is lost.
        make: makes what is raised.
    """

    def __init__(self, script: str, at: int = 0, *, after: bool = False, make: Callable[[], Exception] = RuntimeError):
        self.task, answers = SCRIPTS[script]
        self.at, self.after, self.make = at, after, make
        self.steps: list[str] = []
        self.clock, self.telemetry, self.ledger = Clock(), MemoryTelemetry(), MemoryLedger()
        shares = MemoryShares()
        self.cache = MemoryResponseCache(clock=self.clock)
        self.budget = MemoryBudget(MemoryBudgetStore([define("acme", "tenant", "day", limit_nanousd=10**12)]))
        self.share = FairShare(self._wrap("shares", shares), self.telemetry, most=1, clock=self.clock)
        breaker = SharedBreaker(self._wrap("circuits", MemoryCircuits()), clock=self.clock)
        self.chat = compose_chat(
            {"anthropic": ScriptedProvider(self.clock, *answers)},
            CATALOG,
            ledger=self._wrap("ledger", self.ledger),
            breaker=self._wrap("breaker", breaker),
            budget=self._wrap("budget", self.budget),
            replies=self._wrap("cache", self.cache),
            telemetry=self.telemetry,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def _wrap(self, name: str, inner: Any) -> Any:
        world = self

        class Wrapped:
            def __getattr__(self, method: str) -> Any:
                target = getattr(inner, method)

                def step(*args: Any, **options: Any) -> Any:
                    world.steps.append(f"{name}.{method}")
                    mine = len(world.steps) == world.at
                    if mine and not world.after:
                        raise world.make()
                    found = target(*args, **options)
                    if mine:
                        raise world.make()
                    return found

                return step

        return Wrapped()

    def ask(self) -> ChatReply:
        asked = ChatRequest(context=CallContext(tenant_id="acme"), task=self.task, messages=(user("Is it?"),))
        with self.share.hold("acme"):
            return self.chat.complete(asked, deadline=self.clock.now + 60)


def _count_steps(script: str) -> list[str]:
    world = World(script)
    assert world.ask().message.text == "yes"
    return world.steps


@pytest.mark.parametrize("make", [lambda: RuntimeError("bug"), lambda: ConfigurationError("denied")])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_what_goes_wrong_beside_a_call_takes_no_reply_along(
    script: str, after: bool, make: Callable[[], Exception]
) -> None:
    behind = [(at, step) for at, step in enumerate(_count_steps(script), start=1) if step.startswith(BEHIND)]
    assert {step for _, step in behind} >= {"breaker.report", "shares.give_back"}
    for at, step in behind:
        world = World(script, at, after=after, make=make)
        try:
            assert world.ask().message.text == "yes", step
        except (RuntimeError, ConfigurationError):
            assert not world.ledger.all, f"{step}: what was paid is given to its caller"
        assert not world.cache._claims or step == "cache.release", step
        assert {attempt.outcome for attempt in world.ledger.all} <= {Outcome.OK, Outcome.OVERLOAD}


@pytest.mark.parametrize("make", [lambda: RuntimeError("bug"), lambda: ConfigurationError("denied")])
@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_stays_begun_of_what_was_not_sent(script: str, make: Callable[[], Exception]) -> None:
    steps = _count_steps(script)
    before = ("shares.take", "ledger.begin", "budget.is_budgeted", "budget.reserve")
    for at in (number for number, step in enumerate(steps, start=1) if step in before):
        # A store of budgets gives back itself what it may have held.
        for after in (False, True) if steps[at - 1] != "budget.reserve" else (False,):
            world = World(script, at, after=after, make=make)
            with pytest.raises((RuntimeError, ConfigurationError)):
                world.ask()
            assert Outcome.BEGUN not in {attempt.outcome for attempt in world.ledger.all}
            world.at = 0
            assert world.ask().message.text == "yes", "its slot is free"
