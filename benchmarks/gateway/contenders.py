"""Contenders that run in the project's environment: httpx2, both SDKs, and the whole gateway over them."""

import sys
import time
from datetime import UTC, datetime
from typing import Any

import anthropic
import httpx2
import openai

from benchmarks.gateway.field import ANSWER, ANTHROPIC_MODEL, MAX_TOKENS, OPENAI_MODEL, SYSTEM, question
from benchmarks.gateway.work import Call, serve
from pentad.domain.ids import make_id
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import CallContext, ChatRequest, Outcome
from pentad.models.breaker.adapters.breaker_memory import MemoryCircuits
from pentad.models.breaker.circuit import BreakerPolicy
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore
from pentad.models.budgets.budgets import BudgetDefinition, Scope
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.cache.cache import CachedChat
from pentad.models.catalog.catalog import load
from pentad.models.gateway.budgeted import BudgetedChat, BudgetedProvider, Meter
from pentad.models.gateway.cascade import Cascade
from pentad.models.gateway.compaction import CompactingChat
from pentad.models.gateway.gateway import Gateway
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.ports import ChatModel
from pentad.models.providers.adapters.anthropic import AnthropicChat
from pentad.models.providers.adapters.openai import OpenAIChat
from pentad.models.providers.adapters.secrets import FixedCredentials
from pentad.observability.adapters.null import NullTelemetry

_DEADLINE_SECONDS = 30.0
_TENANT = "acme"
_ENOUGH = 10**15  # nano-dollars: a budget that counts every call and is never near its limit
_SCOPES: tuple[Scope, ...] = ("tenant", "user")
_NEVER = BreakerPolicy(failures=10**9)


def raw_httpx2(base: str) -> Call:
    """Return a call by httpx2 alone."""
    client = httpx2.Client(headers={"x-api-key": "k", "anthropic-version": "2023-06-01"}, timeout=_DEADLINE_SECONDS)

    def call(number: int) -> str:
        messages = [{"role": "user", "content": question(number)}]
        body = {"model": ANTHROPIC_MODEL, "max_tokens": MAX_TOKENS, "system": SYSTEM, "messages": messages}
        return str(client.post(f"{base}/httpx2/up/v1/messages", json=body).json()["content"][0]["text"])

    return call


def _anthropic(base: str, place: str) -> Call:
    client = anthropic.Anthropic(api_key="k", base_url=f"{base}/{place}", max_retries=0, timeout=_DEADLINE_SECONDS)

    def call(number: int) -> str:
        reply = client.messages.create(
            model=ANTHROPIC_MODEL,
            max_tokens=MAX_TOKENS,
            system=SYSTEM,
            messages=[{"role": "user", "content": question(number)}],
        )
        return reply.content[0].text if reply.content[0].type == "text" else ""

    return call


def _openai(base: str, place: str) -> Call:
    client = openai.OpenAI(api_key="k", base_url=f"{base}/{place}/v1", max_retries=0, timeout=_DEADLINE_SECONDS)

    def call(number: int) -> str:
        reply = client.responses.create(
            model=OPENAI_MODEL, max_output_tokens=MAX_TOKENS, instructions=SYSTEM, input=question(number), store=False
        )
        return reply.output_text

    return call


def two_sdks(base: str) -> Call:
    """Return the fallback that one writes by hand: one SDK, and where that fails the other."""
    first, second = _anthropic(base, "two_sdks/down"), _openai(base, "two_sdks/up")

    def call(number: int) -> str:
        try:
            return first(number)
        except anthropic.APIStatusError:
            return second(number)

    return call


class Whole:
    """The gateway with all that stands around it in the deployed function, stores in memory.

    Args:
        base: the server.
        name: the contender.
        primary: "up" or "down".
        policy: the breaker's.
    """

    def __init__(self, base: str, name: str, primary: str = "up", policy: BreakerPolicy | None = None) -> None:
        self.ledger = MemoryLedger()
        self.breaker = SharedBreaker(MemoryCircuits(), policy=policy)
        self._model = self._composed(
            AnthropicChat(FixedCredentials("k", f"{base}/{name}/{primary}")),
            OpenAIChat(FixedCredentials("k", f"{base}/{name}/up/v1")),
        )

    def _composed(self, first: AnthropicChat, second: OpenAIChat) -> ChatModel:
        """Return what `pentad.runtime.wiring.gateway.make_chat_model` composes."""
        told, catalog = NullTelemetry(), load()
        budgets = [
            BudgetDefinition(tenant_id=_TENANT, scope=scope, period="day", limit_nanousd=_ENOUGH, soft_nanousd=_ENOUGH)
            for scope in _SCOPES
        ]
        meter = Meter(MemoryBudget(MemoryBudgetStore(budgets)), told)
        paying = {"anthropic": BudgetedProvider(first, meter), "openai": BudgetedProvider(second, meter)}
        gateway = Gateway(paying, catalog, self.ledger, breaker=self.breaker, telemetry=told)
        budgeted = BudgetedChat(gateway, meter, catalog, frozenset(paying))
        cached = CachedChat(CompactingChat(budgeted, catalog, told), MemoryResponseCache(), catalog, told)
        return Cascade(cached, catalog, told)

    def caller(self, task: str = "reason", *, same: bool = False) -> Call:
        """Return a call of a task: each time another question, or each time the same."""

        def call(number: int) -> str:
            now = datetime.now(UTC)
            asked = Message(
                message_id=make_id("msg", now),
                role="user",
                blocks=(TextBlock(text=question(0 if same else number)),),
                created_at=now,
            )
            context = CallContext(tenant_id=_TENANT, user_id="u1", agent="handbook")
            request = ChatRequest(context=context, task=task, system=SYSTEM, messages=(asked,))
            return self._model.complete(request, deadline=time.time() + _DEADLINE_SECONDS).message.text

        return call


def main(base: str) -> None:
    """Follow orders with all contenders."""
    wholes = {
        "pentad": Whole(base, "pentad"),
        "pentad_miss": Whole(base, "pentad_miss"),
        "pentad_hit": Whole(base, "pentad_hit"),
        # The breaker would learn that the primary is down, and leave it alone: here each call has to find out.
        "pentad_fallback": Whole(base, "pentad_fallback", "down", _NEVER),
        "pentad_open": Whole(base, "pentad_open", "down"),
    }
    wholes["pentad_open"].breaker.force(f"anthropic/{ANTHROPIC_MODEL}", "open")
    calls = {
        "httpx2": raw_httpx2(base),
        "anthropic": _anthropic(base, "anthropic/up"),
        "openai": _openai(base, "openai/up"),
        "two_sdks": two_sdks(base),
        "pentad": wholes["pentad"].caller(),
        "pentad_miss": wholes["pentad_miss"].caller("extract"),
        "pentad_hit": wholes["pentad_hit"].caller("extract", same=True),
        "pentad_fallback": wholes["pentad_fallback"].caller(),
        "pentad_open": wholes["pentad_open"].caller(),
    }

    def facts() -> dict[str, Any]:
        ended = {name: [a for a in one.ledger.all if a.outcome is not Outcome.BEGUN] for name, one in wholes.items()}
        versions = {"anthropic": anthropic.__version__, "openai": openai.__version__, "httpx2": httpx2.__version__}
        return {"attempts": {name: len(attempts) for name, attempts in ended.items()}, "versions": versions}

    serve(calls, ANSWER, facts)


if __name__ == "__main__":
    main(sys.argv[1])
