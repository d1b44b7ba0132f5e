"""80 calls of one tenant at once, on tables that refuse what meets a transaction: none is refused for contention."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from pentad.aws.table import Table
from pentad.domain.models import CallContext, ChatReply, ChatRequest
from pentad.models.breaker.adapters.breaker_memory import MemoryCircuits
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.budgets.adapters.budgets_dynamodb import DynamoBudget
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore
from pentad.models.budgets.budgets import define
from pentad.models.cache.adapters.response_cache_dynamodb import DynamoResponseCache
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.gateway.compose import compose_chat
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.ledger.adapters.spend_dynamodb import DynamoSpend
from pentad.models.shares.adapters.shares_dynamodb import DynamoShares
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.models.samples import CATALOG, Clock, ScriptedProvider, reply, user
from twin.front.account import reset_account
from twin.front.front import AwsFront
from twin.front.model import TableTimes

CALLERS = 80
CONTEXT = CallContext(tenant_id="acme", agent="helper", user_id="ada", session_id="s1", run_id="run_1")


@pytest.fixture
def client() -> Iterator[Any]:
    """A client of tables whose transactions are in flight for 10 ms at least."""
    reset_account()
    with AwsFront("us-east-1", table_times=TableTimes(transaction_seconds=0.01)) as front:
        keys = front.principals.administrator
        make: Any = boto3.client
        made = make(
            "dynamodb",
            endpoint_url=front.url,
            region_name="us-east-1",
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            config=Config(max_pool_connections=CALLERS),
        )
        for name in ("ledger", "state", "transient"):
            made.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            )
        yield made


def test_80_callers_of_one_user_and_budget_are_all_answered_and_counted(client: Any) -> None:
    """One run of one user in one session: every counter is the same for all of them."""
    definitions = MemoryBudgetStore(
        define("acme", scope, period, limit_nanousd=10**12) for scope, period in (("run", "total"), ("tenant", "day"))
    )
    budget = DynamoBudget(Table(client, "transient"), definitions)
    script = ScriptedProvider(Clock(), *[reply(f"answer {number}") for number in range(CALLERS)])
    chat = compose_chat(
        {"anthropic": script},
        CATALOG,
        ledger=DynamoDBLedger(Table(client, "ledger"), Table(client, "state")),
        breaker=SharedBreaker(MemoryCircuits()),
        budget=budget,
        replies=MemoryResponseCache(),
        telemetry=MemoryTelemetry(),
    )
    barrier = threading.Barrier(CALLERS)

    def call(number: int) -> ChatReply:
        request = ChatRequest(context=CONTEXT, task="reason", messages=(user(f"question {number}"),))
        barrier.wait(60)
        return chat.complete(request, deadline=time.time() + 120)

    with ThreadPoolExecutor(CALLERS) as pool:
        cost = sum(each.cost_nanousd for each in pool.map(call, range(CALLERS)))
    assert cost > 0
    now = datetime.now(UTC)
    standings = budget.get_standings(CONTEXT, now)
    assert [(each.used_nanousd, each.spent_nanousd) for each in standings] == [(cost, cost)] * 2
    spend = DynamoSpend(Table(client, "state"))
    for by in ("agent", "user", "session", "run"):
        total = spend.read("acme", by, now.date(), now.date(), user_id=None).total
        assert (total.attempts, total.cost_nanousd) == (CALLERS, cost), by


def test_80_identical_requests_at_once_go_out_once(client: Any) -> None:
    script = ScriptedProvider(Clock(), reply("spam"))
    chats = [
        compose_chat(
            {"anthropic": script},
            CATALOG,
            ledger=MemoryLedger(),
            breaker=SharedBreaker(MemoryCircuits()),
            budget=MemoryBudget(MemoryBudgetStore()),
            replies=DynamoResponseCache(Table(client, "transient")),
            telemetry=MemoryTelemetry(),
        )
        for _ in range(8)
    ]
    barrier = threading.Barrier(CALLERS)

    def call(number: int) -> str:
        asked = ChatRequest(context=CONTEXT, task="classify", messages=(user("Is this spam?"),))
        barrier.wait(60)
        return chats[number % len(chats)].complete(asked, deadline=time.time() + 120).message.text

    with ThreadPoolExecutor(CALLERS) as pool:
        assert set(pool.map(call, range(CALLERS))) == {"spam"}
    assert len(script.sent) == 1


def test_80_callers_take_exactly_as_many_slots_as_a_share_has(client: Any) -> None:
    shares, barrier = DynamoShares(Table(client, "transient")), threading.Barrier(CALLERS)

    def take(number: int) -> bool:
        barrier.wait(60)
        return shares.take("acme", f"slot{number}", most=50, now=0.0, until=310.0)

    with ThreadPoolExecutor(CALLERS) as pool:
        assert sum(pool.map(take, range(CALLERS))) == 50
